/** The engine's storage on IndexedDB. Sealing happens outside of transactions: IndexedDB ends one that waits. */
import type { Change, FeedRow, ScopePage, Settlement, Store } from '../engine/ports'
import type { Anchor, KeptRecord, RecordState, RecordType } from '../engine/records'
import type { DeviceDb } from './device'
import type { Sealer } from './sealing'
import type { FeedTableRow, RecordRow, StagedRow, WorkerDb } from './worker_db'

export class DexieStore implements Store {
  constructor(
    private readonly db: WorkerDb,
    private readonly device: DeviceDb,
    private readonly sealer: Sealer,
  ) {}

  takeSeq(): Promise<number> {
    return this.device.takeSeq()
  }

  async keep(record: KeptRecord, together?: () => Promise<void>): Promise<void> {
    const { payload, ...rest } = record
    const row = { ...rest, sealed: await this.sealer.seal(payload), rank: 0 }
    const { records, drafts, visited, photos } = this.db
    await this.db.transaction('rw', records, drafts, visited, photos, async () => {
      await records.add(row)
      await together?.()
    })
  }

  async record(id: string): Promise<KeptRecord | undefined> {
    const row = await this.db.records.get(id)
    return row && this.opened(row)
  }

  async waiting(limit: number, except: ReadonlySet<string>): Promise<KeptRecord[]> {
    const rows = await this.db.records
      .where('[state+rank+seq]')
      .between(['waiting', 0, 0], ['waiting', 1, Number.MAX_SAFE_INTEGER], true, true)
      .filter((row) => !except.has(row.id))
      .limit(limit)
      .toArray()
    return Promise.all(rows.map((row) => this.opened(row)))
  }

  async records(state: RecordState): Promise<KeptRecord[]> {
    const rows = await this.db.records.where('state').equals(state).toArray()
    rows.sort((a, b) => a.seq - b.seq)
    return Promise.all(rows.map((row) => this.opened(row)))
  }

  async idsOf(states: RecordState[]): Promise<string[]> {
    return (await this.db.records.where('state').anyOf(states).primaryKeys()) as string[]
  }

  count(state: RecordState): Promise<number> {
    return this.db.records.where('state').equals(state).count()
  }

  countStuck(): Promise<number> {
    const [least, most] = [['waiting', 1, 0], ['waiting', 1, Number.MAX_SAFE_INTEGER]]
    return this.db.records.where('[state+rank+seq]').between(least, most, true, true).count()
  }

  async settle(settlements: Settlement[]): Promise<void> {
    await this.db.transaction('rw', this.db.records, async () => {
      for (const { id, stuck, ...rest } of settlements) {
        const row = await this.db.records.get(id)
        if (!row) continue
        const reason = stuck === undefined ? row.stuck : (stuck ?? undefined)
        await this.db.records.put({ ...row, ...rest, stuck: reason, rank: reason ? 1 : 0 })
      }
    })
  }

  async attachAnchors(anchors: { id: string; anchor: Anchor | null }[]): Promise<void> {
    await this.db.records.bulkUpdate(anchors.map(({ id, anchor }) => ({ key: id, changes: { anchor } })))
  }

  async keepAnchor(anchor: Anchor): Promise<void> {
    const { server_ms, elapsed_ms, boot_id, mac } = anchor
    await this.db.transaction('rw', this.db.anchors, async () => {
      if (await this.db.anchors.where('boot_id').equals(boot_id).count()) return
      await this.db.anchors.add({ server_ms, elapsed_ms, boot_id, mac })
    })
  }

  async anchors(): Promise<{ byBoot: Map<string, Anchor>; last: Anchor | null }> {
    const rows = await this.db.anchors.orderBy('n').toArray()
    const found = rows.map(({ n: _, ...anchor }) => anchor)
    return { byBoot: new Map(found.map((anchor) => [anchor.boot_id, anchor])), last: found.at(-1) ?? null }
  }

  async forgetBefore(safe: number): Promise<number> {
    const old = (row: RecordRow) => row.acked_ms !== undefined && row.acked_ms < safe
    return this.db.records.where('state').equals('stored').filter(old).delete()
  }

  async cursors(): Promise<Map<string, string | null>> {
    return new Map((await this.db.scopes.toArray()).map((scope) => [scope.id, scope.cursor]))
  }

  async allowScopes(allowed: string[]): Promise<void> {
    const { scopes, feed, staged } = this.db
    await this.db.transaction('rw', scopes, feed, staged, async () => {
      const held = (await scopes.toCollection().primaryKeys()) as string[]
      for (const id of held.filter((scope) => !allowed.includes(scope))) {
        await staged.where('scope').equals(id).delete()
        await this.letGo(id)
        await scopes.delete(id)
      }
      const fresh = allowed.filter((scope) => !held.includes(scope))
      await scopes.bulkAdd(fresh.map((id) => ({ id, cursor: null, staging: false })))
    })
  }

  async applyPage(page: ScopePage): Promise<void> {
    const sealed = await Promise.all(page.changes.map((change) => this.sealChange(change)))
    const { scopes, feed, staged } = this.db
    await this.db.transaction('rw', scopes, feed, staged, async () => {
      const scope = await scopes.get(page.id)
      if (!scope) return
      let staging = scope.staging
      if (page.reset) {
        await staged.where('scope').equals(page.id).delete()
        staging = true
      }
      for (const [i, change] of page.changes.entries()) {
        if (staging) await this.stage(page.id, change, sealed[i]!)
        else await this.apply(page.id, change, sealed[i]!)
      }
      if (staging && !page.has_more) {
        await this.swap(page.id)
        staging = false
      }
      await scopes.put({ id: page.id, cursor: page.cursor, staging })
    })
  }

  async rows(entity: string): Promise<FeedRow[]> {
    const found = await this.db.feed.where('entity').equals(entity).toArray()
    return Promise.all(found.map((row) => this.openedRow(row)))
  }

  async row(entity: string, id: string): Promise<FeedRow | undefined> {
    const found = await this.db.feed.get([entity, id])
    return found && this.openedRow(found)
  }

  async byType(type: RecordType, states: RecordState[]): Promise<KeptRecord[]> {
    const rows = await this.db.records.where('type').equals(type).filter((row) => states.includes(row.state)).toArray()
    rows.sort((a, b) => a.seq - b.seq)
    return Promise.all(rows.map((row) => this.opened(row)))
  }

  async filesSent(): Promise<string[]> {
    const stored = (await this.db.photos.where('state').equals('stored').primaryKeys()) as string[]
    const held = new Set(await this.db.blobs.toCollection().primaryKeys())
    return stored.filter((id) => held.has(id))
  }

  async filesMissing(ids: string[]): Promise<void> {
    const back = { state: 'waiting', url: null, sent: 0, acked_ms: null } as const
    await this.db.photos.where('id').anyOf(ids).modify(back)
  }

  async meta<T>(key: string): Promise<T | undefined> {
    return (await this.db.meta.get(key))?.value as T | undefined
  }

  async setMeta(key: string, value: unknown): Promise<void> {
    await this.db.meta.put({ key, value })
  }

  private async opened(row: RecordRow): Promise<KeptRecord> {
    const { sealed, rank: _, ...rest } = row
    return { ...rest, payload: await this.sealer.open<string>(sealed) }
  }

  private async openedRow(row: FeedTableRow): Promise<FeedRow> {
    return { entity: row.entity, id: row.id, data: await this.sealer.open(row.sealed) }
  }

  private async sealChange(change: Change): Promise<Uint8Array> {
    return change.op === 'put' ? this.sealer.seal(change.data) : new Uint8Array()
  }

  private async stage(scope: string, change: Change, sealed: Uint8Array): Promise<void> {
    const { entity, id, rev, op } = change
    if (op === 'put') await this.db.staged.put({ scope, entity, id, rev, sealed })
    else if (op === 'del') await this.db.staged.delete([scope, entity, id])
  }

  private async apply(scope: string, change: Change, sealed: Uint8Array): Promise<void> {
    const { entity, id, rev, op } = change
    const held = await this.db.feed.get([entity, id])
    if (op === 'put') {
      const scopes = [...new Set([...(held?.scopes ?? []), scope])]
      const newer = !held || rev >= held.rev
      await this.db.feed.put(newer ? { entity, id, rev, scopes, sealed } : { ...held, scopes })
    } else if (op === 'del' && held) {
      const scopes = held.scopes.filter((name) => name !== scope)
      if (!scopes.length && rev >= held.rev) await this.db.feed.delete([entity, id])
      else await this.db.feed.put({ ...held, scopes })
    }
  }

  /** A snapshot is whole: it takes the place of all that the scope held, whatever the revisions were. */
  private async swap(scope: string): Promise<void> {
    const fresh = await this.db.staged.where('scope').equals(scope).toArray()
    await this.letGo(scope)
    for (const row of fresh) await this.unstage(scope, row)
    await this.db.staged.where('scope').equals(scope).delete()
  }

  private async unstage(scope: string, row: StagedRow): Promise<void> {
    await this.apply(scope, { entity: row.entity, id: row.id, op: 'put', rev: row.rev, data: null }, row.sealed)
  }

  /** Drop the rows that only this scope holds. */
  private async letGo(scope: string): Promise<void> {
    const rows = await this.db.feed.where('scopes').equals(scope).toArray()
    const gone = rows.filter((row) => row.scopes.length === 1)
    const kept = rows.filter((row) => row.scopes.length > 1)
    await this.db.feed.bulkDelete(gone.map((row) => [row.entity, row.id] as [string, string]))
    await this.db.feed.bulkPut(kept.map((row) => ({ ...row, scopes: row.scopes.filter((name) => name !== scope) })))
  }
}
