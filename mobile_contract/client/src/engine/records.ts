/** Records: frozen when they are made, named by id and by the SHA-256 of their exact bytes. */
import { uuid7 } from './ids'
import type { Clock, ClockReading, Platform } from './platform'

export const SCHEMA_VERSION = 1
export type RecordType = 'visit' | 'place_proposal' | 'task_step'

export interface Anchor {
  server_ms: number
  elapsed_ms: number
  boot_id: string
  mac: string
}

export interface AttachmentFact {
  id: string
  sha256: string
  bytes: number
  mime: string
}

export interface RecordProblem {
  path: string
  code: string
  message: string
}

/**
 * `waiting`: in the outbox. `stored`: the server has it. `quarantined`: kept by the server, not in force.
 * `replaced`: quarantined, and repaired by a newer record of this phone.
 */
export type RecordState = 'waiting' | 'stored' | 'quarantined' | 'replaced'

export interface KeptRecord {
  id: string
  type: RecordType
  schema_version: number
  sha256: string
  payload: string
  seq: number
  boot_id: string
  made_wall_ms: number
  state: RecordState
  /** The last anchor the phone knew when it was made: a lower bound, should its own boot never get one. */
  before: Anchor | null
  /** Undefined until it is first sent. */
  anchor?: Anchor | null
  /** Server time at which it was acknowledged. */
  acked_ms?: number
  effective_at_ms?: number | null
  time_quality?: string | null
  errors?: RecordProblem[]
  /** Why it could not be sent though the server answered; it stays in the outbox. */
  stuck?: string
  replaced_by?: string
}

export interface Draft {
  type: RecordType
  author_id: string
  body: Record<string, unknown>
  attachments?: AttachmentFact[]
  amends?: string | null
  voids?: string | null
  reason?: string | null
}

export async function hashText(platform: Platform, text: string): Promise<string> {
  return platform.sha256(new TextEncoder().encode(text))
}

/** Half of a surrogate pair or U+0000 would send the whole record to quarantine: typed text is cleaned of them here. */
export function cleanText(text: string): string {
  return text.replaceAll('\0', '').replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '')
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(clean)
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => [name, clean(item)]),
    )
  }
  return value
}

const BODY: Record<RecordType, string> = { visit: 'visit', place_proposal: 'place', task_step: 'step' }

export function payloadText(draft: Draft, seq: number, time: ClockReading): string {
  const common = {
    author_id: draft.author_id,
    seq,
    time,
    attachments: draft.attachments ?? [],
    amends: draft.amends ?? null,
    voids: draft.voids ?? null,
    reason: draft.reason ?? null,
  }
  const whole = draft.voids ? common : { ...common, [BODY[draft.type]]: draft.body }
  return JSON.stringify(clean(whole))
}

/** The record of a draft, frozen now. */
export async function freeze(
  platform: Platform,
  clock: Clock,
  draft: Draft,
  seq: number,
  before: Anchor | null,
): Promise<KeptRecord> {
  const time = clock.read()
  const payload = payloadText(draft, seq, time)
  return {
    id: uuid7(platform, time.wall_ms),
    type: draft.type,
    schema_version: SCHEMA_VERSION,
    sha256: await hashText(platform, payload),
    payload,
    seq,
    boot_id: time.boot_id,
    made_wall_ms: time.wall_ms,
    state: 'waiting',
    before,
  }
}

/** What travels. `payload` is the very text that was hashed. */
export function wireOf(record: KeptRecord): Record<string, unknown> {
  const { id, type, schema_version, sha256, payload } = record
  return { id, type, schema_version, sha256, payload, anchor: record.anchor ?? null }
}
