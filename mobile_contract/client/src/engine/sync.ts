/** One round of sync: anchor, push, pull, and reconcile when it is due. */
import type { Clock, Platform } from './platform'
import type { Reply, Store, Transport } from './ports'
import { Puller, type PullReport } from './pull'
import { Pusher, type Head, type PushReport } from './push'
import { freeze, type Draft, type KeptRecord } from './records'
import { Busy, Revoked, Session, type TokenStore } from './session'

export const RECONCILE_EVERY_MS = 24 * 3_600_000
export const RECONCILE_IDS = 2000

export interface EngineOptions {
  store: Store
  transport: Transport
  tokens: TokenStore
  platform: Platform
  clock: Clock
  head: Head
  /** Called whenever something on the phone changed that a screen may show. */
  changed?: () => void
}

export interface SyncReport {
  push: PushReport
  pull: PullReport | null
  reconciled: boolean
  revoked: boolean
}

export class SyncEngine {
  readonly session: Session
  private readonly store: Store
  private readonly pusher: Pusher
  private readonly puller: Puller

  constructor(private readonly options: EngineOptions) {
    const { store, transport, tokens, platform, clock, head } = options
    this.store = store
    this.session = new Session(transport, tokens, head.install_id)
    const heard = (answer: any) => this.heard(answer)
    this.pusher = new Pusher(store, this.session, platform, clock, head, heard)
    this.puller = new Puller(store, this.session, clock, head, heard)
  }

  /** Freeze a record and put it into the outbox. When this resolves, a killed browser no longer loses it. */
  async write(draft: Draft, prepare?: (record: KeptRecord) => Promise<() => Promise<void>>): Promise<KeptRecord> {
    const { platform, clock } = this.options
    const { last } = await this.store.anchors()
    const record = await freeze(platform, clock, draft, await this.store.takeSeq(), last)
    await this.store.keep(record, await prepare?.(record))
    this.options.changed?.()
    return record
  }

  /** Throws Unreachable, Busy, SignInNeeded; what was done until then stays done. */
  async sync(): Promise<SyncReport> {
    const changed = () => this.options.changed?.()
    let revoked = false
    try {
      await this.takeAnchor()
    } catch (error) {
      if (!(error instanceof Revoked)) throw error
      revoked = true
    }
    const push = await this.pusher.run(changed)
    if (revoked) return { push, pull: null, reconciled: false, revoked }
    const before = await this.store.meta<string>('reconciled_epoch')
    const pull = await this.puller.run(changed)
    const reconciled = await this.reconcileIfDue(before)
    if (reconciled) {
      const again = await this.pusher.run(changed)
      push.stored += again.stored
      push.quarantined += again.quarantined
      push.stuck += again.stuck
    }
    await this.store.setMeta('last_success_ms', (await this.store.meta<number>('server_time_ms')) ?? 0)
    changed()
    return { push, pull, reconciled, revoked }
  }

  /** Push alone: what another worker of this phone left waiting. */
  async deliver(): Promise<PushReport> {
    await this.takeAnchor()
    return this.pusher.run(() => this.options.changed?.())
  }

  /** A boot's first anchor, before its first push. */
  private async takeAnchor(): Promise<void> {
    const clock = this.options.clock.read()
    const { byBoot } = await this.store.anchors()
    if (byBoot.has(clock.boot_id)) return
    const { install_id, community_id } = this.options.head
    const reply = await this.session.call('/sync/v1/clock', { install_id, community_id, clock })
    if (reply.status !== 200) throw new Busy(reply.status)
    await this.heard(reply.body)
  }

  /** What every answer may carry. */
  private async heard(answer: any): Promise<void> {
    if (answer?.anchor) await this.store.keepAnchor(answer.anchor)
    if (typeof answer?.server_epoch === 'string') await this.store.setMeta('server_epoch', answer.server_epoch)
    if (Number.isFinite(answer?.server_time_ms)) await this.store.setMeta('server_time_ms', answer.server_time_ms)
    if (Number.isFinite(answer?.min_schema)) await this.store.setMeta('min_schema', answer.min_schema)
    const safe = Number(answer?.safe_through_ms)
    if (safe > 0 && safe > ((await this.store.meta<number>('safe_through_ms')) ?? 0)) {
      await this.store.setMeta('safe_through_ms', safe)
      await this.store.forgetBefore(safe)
    }
  }

  /** Daily, and whenever the server is another than before: offer again what it lacks. */
  private async reconcileIfDue(before: string | undefined): Promise<boolean> {
    const epoch = await this.store.meta<string>('server_epoch')
    const now = (await this.store.meta<number>('server_time_ms')) ?? 0
    const last = (await this.store.meta<number>('reconciled_ms')) ?? 0
    if (epoch === before && Math.abs(now - last) < RECONCILE_EVERY_MS) return false
    const ids = await this.store.idsOf(['stored', 'quarantined'])
    const files = await this.store.filesSent()
    for (let start = 0; start < Math.max(ids.length, files.length); start += RECONCILE_IDS) {
      await this.reconcile(ids.slice(start, start + RECONCILE_IDS), files.slice(start, start + RECONCILE_IDS))
    }
    await this.store.setMeta('reconciled_epoch', epoch)
    await this.store.setMeta('reconciled_ms', now)
    return ids.length > 0 || files.length > 0
  }

  private async reconcile(ids: string[], attachment_ids: string[]): Promise<void> {
    const { install_id, community_id } = this.options.head
    const body = { install_id, community_id, ids, attachment_ids, clock: this.options.clock.read() }
    const reply: Reply = await this.session.call('/sync/v1/reconcile', body)
    if (reply.status !== 200) throw new Busy(reply.status)
    await this.heard(reply.body)
    const missing: string[] = reply.body.missing ?? []
    await this.store.settle(missing.map((id) => ({ id: id.toLowerCase(), state: 'waiting' as const, stuck: null })))
    const lacked: string[] = reply.body.missing_attachments ?? []
    await this.store.filesMissing(lacked.map((id) => id.toLowerCase()))
  }
}
