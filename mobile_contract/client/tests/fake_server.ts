/** A server small enough to be read whole, for what a real one does only when it is broken. */
import { createHash } from 'node:crypto'
import { Unreachable, type Reply, type ScopePage, type Transport } from '../src/engine/ports'

export type Fault = 'none' | 'unreachable' | 'swallowed' | 'busy' | 'half' | 'later' | 'unreadable' | 'too_large'

export class FakeServer implements Transport {
  held = new Map<string, { sha256: string; payload: string; anchors: unknown[] }>()
  quarantine = new Map<string, string>()
  refuse = new Set<string>()
  epoch = 'e1'
  now = 1_795_000_000_000
  safe = 0
  access = 'a1'
  refreshes = 0
  revoked = false
  pages: ScopePage[][] = []
  allowed = ['area:1']
  faults: Fault[] = []
  pushes = 0
  largest = 0

  async post(path: string, body: any, token: string | null): Promise<Reply> {
    this.now += 1000
    if (path === '/sync/v1/auth/refresh') return this.refresh(body)
    const push = path === '/sync/v1/push'
    if (this.revoked && !push) return { status: 401, body: { code: 'device_revoked' } }
    if (!this.revoked && token !== this.access) return { status: 401, body: { code: 'token_expired' } }
    const fault = push ? (this.faults.shift() ?? 'none') : 'none'
    if (fault === 'unreachable') throw new Unreachable('refused')
    if (fault === 'busy') return { status: 503, body: null, retryAfter: 2 }
    if (fault === 'unreadable') return { status: 400, body: { code: 'body_unreadable' } }
    if (fault === 'too_large') return { status: 413, body: { code: 'body_too_large', max_records: 2, max_bytes: 4_000_000 } }
    const answer = { ...this.stamp(body), ...this.handle(path, body, fault) }
    if (fault === 'swallowed') throw new Unreachable('cut')
    return { status: 200, body: answer }
  }

  private refresh(body: any): Reply {
    if (body.refresh_token !== 'r1') return { status: 401, body: { code: 'refresh_reused' } }
    this.refreshes += 1
    return { status: 200, body: { access_token: this.access, refresh_token: 'r1' } }
  }

  private stamp(body: any) {
    const anchor = body.clock && { server_ms: this.now, elapsed_ms: body.clock.elapsed_ms, boot_id: body.clock.boot_id, mac: 'm' }
    return { server_epoch: this.epoch, server_time_ms: this.now, safe_through_ms: this.safe, min_schema: 1, anchor }
  }

  private handle(path: string, body: any, fault: Fault): object {
    if (path === '/sync/v1/push') return { results: this.push(body.records, fault) }
    if (path === '/sync/v1/reconcile') return { missing: body.ids.filter((id: string) => !this.has(id)), quarantined: [] }
    if (path === '/sync/v1/pull') return this.pull(body)
    return {}
  }

  private has(id: string): boolean {
    return this.held.has(id) || this.quarantine.has(id)
  }

  private push(records: any[], fault: Fault): object[] {
    this.pushes += 1
    this.largest = Math.max(this.largest, records.length)
    if (fault === 'later') return records.map((record) => ({ id: record.id, status: 'retry', errors: [] }))
    const taken = fault === 'half' ? records.slice(0, Math.ceil(records.length / 2)) : records
    return taken.map((record) => this.take(record))
  }

  private take(record: any): object {
    const right = createHash('sha256').update(record.payload, 'utf8').digest('hex') === record.sha256
    const errors = [{ path: '/sha256', code: 'hash_mismatch', message: '' }]
    const old = this.held.get(record.id)
    if (old) old.anchors.push(record.anchor)
    if (old) return { id: record.id, status: 'duplicate', effective_at_ms: 1, errors: [] }
    if (!right || this.refuse.has(record.id) || this.revoked) {
      this.quarantine.set(record.id, record.payload)
      return { id: record.id, status: 'quarantined', errors }
    }
    this.held.set(record.id, { sha256: record.sha256, payload: record.payload, anchors: [record.anchor] })
    return { id: record.id, status: 'stored', effective_at_ms: this.now, time_quality: 'anchored', errors: [] }
  }

  private pull(body: any): object {
    if (!body.scopes.length) return { allowed_scopes: this.allowed, scopes: [] }
    return { allowed_scopes: this.allowed, scopes: this.pages.shift() ?? [] }
  }
}
