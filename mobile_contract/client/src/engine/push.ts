/** Emptying the outbox. A record leaves it only when an answer names it with a final status. */
import { uuid4 } from './ids'
import type { Clock, Platform } from './platform'
import type { Settlement, Store } from './ports'
import { wireOf, type KeptRecord } from './records'
import type { Session } from './session'

export const MAX_RECORDS = 500
export const MAX_BYTES = 3_500_000

export interface Head {
  install_id: string
  community_id: string
  app_version: string
}

export interface PushReport {
  stored: number
  quarantined: number
  stuck: number
}

const FINAL: Record<string, 'stored' | 'quarantined'> = {
  stored: 'stored',
  duplicate: 'stored',
  quarantined: 'quarantined',
}

interface Batch {
  records: KeptRecord[]
  compress: boolean
}

/** What of `waiting` goes into one request. */
export function takeBatch(waiting: KeptRecord[], maxRecords: number, maxBytes: number): KeptRecord[] {
  const batch: KeptRecord[] = []
  let bytes = 0
  for (const record of waiting) {
    // Three bytes a character is the most that UTF-8 needs for what JavaScript counts as one.
    bytes += 3 * record.payload.length + 600
    if (batch.length && (bytes > maxBytes || batch.length >= maxRecords)) break
    batch.push(record)
  }
  return batch
}

export class Pusher {
  private maxRecords = MAX_RECORDS
  private maxBytes = MAX_BYTES

  constructor(
    private readonly store: Store,
    private readonly session: Session,
    private readonly platform: Platform,
    private readonly clock: Clock,
    private readonly head: Head,
    private readonly heard: (answer: any) => Promise<void>,
  ) {}

  /** Push until nothing waits that can be sent. */
  async run(progress: () => void = () => undefined): Promise<PushReport> {
    const report: PushReport = { stored: 0, quarantined: 0, stuck: 0 }
    const tried = new Set<string>()
    for (;;) {
      const waiting = await this.store.waiting(MAX_RECORDS, tried)
      if (!waiting.length) return report
      const records = takeBatch(waiting, this.maxRecords, this.maxBytes)
      await this.attachAnchors(records)
      await this.send({ records, compress: true }, report, tried)
      progress()
    }
  }

  private async attachAnchors(records: KeptRecord[]): Promise<void> {
    const { byBoot, last } = await this.store.anchors()
    const fixed = []
    for (const record of records) {
      // A record sent with a foreign anchor before may get its own boot's later: the server keeps all valid ones.
      const own = byBoot.get(record.boot_id)
      if (record.anchor !== undefined && (record.anchor?.boot_id === record.boot_id || !own)) continue
      record.anchor = own ?? record.before ?? last
      fixed.push({ id: record.id, anchor: record.anchor })
    }
    if (fixed.length) await this.store.attachAnchors(fixed)
  }

  private async send(batch: Batch, report: PushReport, tried: Set<string>): Promise<void> {
    const body = {
      push_id: uuid4(this.platform),
      ...this.head,
      server_epoch: (await this.store.meta<string>('server_epoch')) ?? null,
      clock: this.clock.read(),
      records: batch.records.map(wireOf),
    }
    const reply = await this.session.call('/sync/v1/push', body, batch.compress)
    if (reply.status === 200) return this.accept(reply.body, batch.records, report, tried)
    if (reply.status === 413) return this.shrink(reply.body, batch, report, tried)
    // 400, 422: the server could not read it. Uncompressed, then one by one, then it must travel as a file.
    if (batch.compress) return this.send({ ...batch, compress: false }, report, tried)
    if (batch.records.length > 1) {
      for (const record of batch.records) await this.send({ records: [record], compress: false }, report, tried)
      return
    }
    await this.setAside(batch.records[0]!, String(reply.body?.code ?? reply.status), report, tried)
  }

  private async shrink(problem: any, batch: Batch, report: PushReport, tried: Set<string>): Promise<void> {
    if (batch.records.length === 1) return this.setAside(batch.records[0]!, 'body_too_large', report, tried)
    const half = Math.ceil(batch.records.length / 2)
    this.maxRecords = Math.max(1, Math.min(Number(problem?.max_records) || half, half))
    const bytes = Number(problem?.max_bytes)
    if (bytes > 0) this.maxBytes = Math.min(this.maxBytes, bytes)
    for (const records of [batch.records.slice(0, half), batch.records.slice(half)]) {
      if (records.length) await this.send({ ...batch, records }, report, tried)
    }
  }

  private async setAside(record: KeptRecord, why: string, report: PushReport, tried: Set<string>): Promise<void> {
    tried.add(record.id)
    report.stuck += 1
    await this.store.settle([{ id: record.id, state: 'waiting', stuck: why }])
  }

  private async accept(answer: any, sent: KeptRecord[], report: PushReport, tried: Set<string>): Promise<void> {
    const known = new Map(sent.map((record) => [record.id, record]))
    const settled: Settlement[] = []
    for (const result of Array.isArray(answer?.results) ? answer.results : []) {
      const record = known.get(String(result?.id).toLowerCase())
      const state = FINAL[String(result?.status)]
      if (!record || !state) continue
      known.delete(record.id)
      report[state] += 1
      settled.push({
        id: record.id,
        state,
        acked_ms: Number(answer.server_time_ms) || 0,
        effective_at_ms: result.effective_at_ms ?? null,
        time_quality: result.time_quality ?? null,
        errors: Array.isArray(result.errors) ? result.errors : [],
        stuck: null,
      })
    }
    await this.store.settle(settled)
    await this.heard(answer)
    // `retry`, a status of the future, or no result at all: it stays, and this round goes on without it.
    for (const id of known.keys()) tried.add(id)
  }
}
