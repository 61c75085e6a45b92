/** Storage and transport as the engine sees them. */
import type { Anchor, KeptRecord, RecordProblem, RecordState } from './records'

export interface Change {
  entity: string
  id: string
  op: string
  rev: number
  data: Record<string, unknown> | null
}

export interface ScopePage {
  id: string
  reset: boolean
  cursor: string
  has_more: boolean
  changes: Change[]
}

export interface Settlement {
  id: string
  state: RecordState
  acked_ms?: number
  effective_at_ms?: number | null
  time_quality?: string | null
  errors?: RecordProblem[]
  stuck?: string | null
}

export interface FeedRow {
  entity: string
  id: string
  data: Record<string, unknown>
}

/**
 * Everything of one worker in one community on this phone. Each method is one transaction: after it resolved, its effect
 * survives a kill; before, nothing of it is there.
 */
export interface Store {
  /** The next number of this installation's records; a number once taken is never given again. */
  takeSeq(): Promise<number>
  /** `together` runs in the same transaction: the draft a record was made of goes exactly when the record is there. */
  keep(record: KeptRecord, together?: () => Promise<void>): Promise<void>
  record(id: string): Promise<KeptRecord | undefined>
  /** The oldest waiting records, by `seq`; those that are stuck come last. */
  waiting(limit: number, except: ReadonlySet<string>): Promise<KeptRecord[]>
  records(state: RecordState): Promise<KeptRecord[]>
  /** Ids of all records the server was told of or should have, for reconcile. */
  idsOf(states: RecordState[]): Promise<string[]>
  count(state: RecordState): Promise<number>
  settle(settlements: Settlement[]): Promise<void>
  /** Fix the anchors records are sent with. */
  attachAnchors(anchors: { id: string; anchor: Anchor | null }[]): Promise<void>
  /** Keep the first anchor of its boot; later ones of that boot are ignored. */
  keepAnchor(anchor: Anchor): Promise<void>
  anchors(): Promise<{ byBoot: Map<string, Anchor>; last: Anchor | null }>
  /** Drop stored records that a restore-tested backup holds. */
  forgetBefore(safe_through_ms: number): Promise<number>

  cursors(): Promise<Map<string, string | null>>
  /** Take up new scopes, drop those no longer allowed with the rows that no other scope holds. */
  allowScopes(allowed: string[]): Promise<void>
  /** Apply a page and its cursor together. */
  applyPage(page: ScopePage): Promise<void>
  rows(entity: string): Promise<FeedRow[]>
  row(entity: string, id: string): Promise<FeedRow | undefined>

  /** Files the phone believes to be whole on the server, and still has. */
  filesSent(): Promise<string[]>
  /** The server lacks these after all: to be brought again. */
  filesMissing(ids: string[]): Promise<void>

  meta<T>(key: string): Promise<T | undefined>
  setMeta(key: string, value: unknown): Promise<void>
}

export interface Reply {
  status: number
  // The body as the server sent it; its fields are checked where they are used.
  body: any
  /** Seconds of `Retry-After`. */
  retryAfter?: number
}

/** No answer: refused, cut, timed out. Whether the server got the request is unknown. */
export class Unreachable extends Error {}

export interface Transport {
  /** POST JSON. Throws Unreachable. `compress` is a wish. */
  post(path: SyncPath, body: unknown, token: string | null, compress: boolean): Promise<Reply>
}

export type SyncPath =
  | '/sync/v1/auth/login'
  | '/sync/v1/auth/refresh'
  | '/sync/v1/auth/logout'
  | '/sync/v1/data-key/public'
  | '/sync/v1/data-key/open'
  | '/sync/v1/clock'
  | '/sync/v1/push'
  | '/sync/v1/pull'
  | '/sync/v1/reconcile'
