/** The database of one worker in one community. What tells something about people or places is sealed. */
import Dexie, { type Table } from 'dexie'
import type { Anchor, KeptRecord } from '../engine/records'

export type RecordRow = Omit<KeptRecord, 'payload'> & { sealed: Uint8Array; rank: number }

export interface FeedTableRow {
  entity: string
  id: string
  rev: number
  scopes: string[]
  sealed: Uint8Array
}

export interface StagedRow {
  scope: string
  entity: string
  id: string
  rev: number
  sealed: Uint8Array
}

export interface ScopeRow {
  id: string
  cursor: string | null
  /** A fresh snapshot is being collected. */
  staging: boolean
}

export interface PhotoRow {
  id: string
  sha256: string
  bytes: number
  mime: string
  kind: 'photo' | 'signature'
  taken_wall_ms: number
  /** `held`: belongs to a draft. `waiting`: its record is frozen. `stored`: whole on the server. `refused`: for good. */
  state: 'held' | 'waiting' | 'stored' | 'refused'
  record_id: string | null
  /** Bytes the server has. */
  sent: number
  /** Where the upload goes on. */
  url: string | null
  /** Why it was refused. */
  refusal: string | null
  acked_ms: number | null
}

export interface SealedRow {
  id: string
  sealed: Uint8Array
}

export class WorkerDb extends Dexie {
  records!: Table<RecordRow, string>
  feed!: Table<FeedTableRow, [string, string]>
  staged!: Table<StagedRow, [string, string, string]>
  scopes!: Table<ScopeRow, string>
  anchors!: Table<Anchor & { n?: number }, number>
  meta!: Table<{ key: string; value: unknown }, string>
  drafts!: Table<SealedRow, string>
  visited!: Table<SealedRow, string>
  photos!: Table<PhotoRow, string>
  /** The bytes of photos, apart from what is known about them: that is read often, these rarely. Gone once evicted. */
  blobs!: Table<SealedRow, string>

  constructor(worker: string) {
    super(`saolou-${worker}`)
    this.version(1).stores({
      records: 'id, [state+rank+seq], state, type',
      feed: '[entity+id], entity, *scopes',
      staged: '[scope+entity+id], scope',
      scopes: 'id',
      anchors: '++n, &boot_id',
      meta: 'key',
      drafts: 'id',
      visited: 'id',
      photos: 'id, state, record_id',
      blobs: 'id',
    })
  }
}
