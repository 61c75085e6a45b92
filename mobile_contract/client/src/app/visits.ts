/** A visit while it is being filled in, and the record that becomes of it. */
import { cleanText } from '../engine/records'
import { openedForms, shownFields } from '../forms/conditions'
import type { Answers, Field, Form, PublishedForm } from '../forms/definition'
import { area, opened, serverNow, write } from './phone'
import { currentForm, type LastVisit, type Place } from './area'
import { attachTo, dropOrphans, factsOf } from './photos'

export interface Fix {
  rule: string
  before: string[]
  after: string[]
}

export interface BlockDraft {
  key: string
  form: string
  version: number
  answers: Answers
  fixed: Fix[]
  /** Brought along by another block's answers. */
  opened: boolean
}

export interface VisitDraft {
  place_id: string
  started_wall_ms: number
  outcome: string | null
  companions: string
  header: Answers
  photos: string[]
  blocks: BlockDraft[]
  /** A quarantined record that this one is to take the place of. */
  repairs: string | null
}

/** Asked by the visit's own screen, or filled in by it. */
export const OWN_HEADER = new Set(['place_id', 'visited_at', 'visitors', 'outcome', 'photos'])

let blockCount = 0
export function newBlock(form: PublishedForm, answers: Answers = {}, openedBy = false): BlockDraft {
  blockCount += 1
  return { key: `${Date.now()}-${blockCount}`, form: form.code, version: form.version, answers, fixed: [], opened: openedBy }
}

export function newDraft(place: Place): VisitDraft {
  return {
    place_id: place.id, started_wall_ms: Date.now(), outcome: null, companions: '', header: {}, photos: [], blocks: [],
    repairs: null,
  }
}

export function definitionOf(block: { form: string; version: number }): PublishedForm | undefined {
  return area.forms.find((form) => form.code === block.form && form.version === block.version)
}

/** Forms that may be filled for a kind of place. */
export function formsFor(kind: string): PublishedForm[] {
  return area.forms.filter((form) => form.current && (form.definition.place_kinds ?? []).includes(kind))
}

const CHOSEN = 'chosen_forms'

/** Which forms this worker fills for a kind of place: what they chose last. */
export async function chosenForms(kind: string): Promise<string[]> {
  const chosen = await opened().store.meta<Record<string, string[]>>(CHOSEN)
  return chosen?.[kind] ?? []
}

export async function chooseForms(kind: string, codes: string[]): Promise<void> {
  const { store } = opened()
  await store.setMeta(CHOSEN, { ...(await store.meta<Record<string, string[]>>(CHOSEN)), [kind]: codes })
}

const BOUND_TO_VISIT = new Set(['photos', 'signature'])

/** Last answers to start from; photos and signatures belong to their own visit. */
export function reusable(form: Form, answers: Answers): Answers {
  const fields = new Map(form.fields.map((field) => [field.id, field]))
  return Object.fromEntries(
    Object.entries(answers).filter(([id]) => fields.has(id) && !BOUND_TO_VISIT.has(fields.get(id)!.type)),
  )
}

/** Keep the blocks of forms that answers bring along in step with those answers. */
export function followOpenings(draft: VisitDraft): void {
  const wanted = new Set<string>()
  for (const block of draft.blocks) {
    const form = definitionOf(block)
    if (form) for (const code of openedForms(form.definition, block.answers)) wanted.add(code)
  }
  draft.blocks = draft.blocks.filter((block) => !block.opened || wanted.has(block.form))
  for (const code of wanted) {
    const form = currentForm(area, code)
    if (form && !draft.blocks.some((block) => block.form === code)) draft.blocks.push(newBlock(form, {}, true))
  }
}

export function isAnswered(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false
  return !Array.isArray(value) || value.length > 0
}

export function missingFields(form: Form, answers: Answers): Field[] {
  return shownFields(form, answers).filter((field) => field.required && !isAnswered(answers[field.id]))
}

/** Only what is shown and answered travels. */
export function answersToSend(form: Form, answers: Answers): Answers {
  const sent: Answers = {}
  for (const field of shownFields(form, answers)) {
    const value = answers[field.id]
    if (isAnswered(value)) sent[field.id] = typeof value === 'string' ? cleanText(value).trim() : value
  }
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => isAnswered(value)))
}

/** The wall clock as a Shanghai time with its offset: shown, never used to order anything. */
export function shanghai(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().replace(/\.\d+Z$/, '+08:00')
}

function photosOf(form: Form, answers: Answers): string[] {
  return form.fields
    .filter((field) => BOUND_TO_VISIT.has(field.type))
    .flatMap((field) => answers[field.id] ?? [])
    .filter((id): id is string => typeof id === 'string')
}

export function photosIn(draft: VisitDraft): string[] {
  const found = [...draft.photos]
  if (area.header) found.push(...photosOf(area.header.definition, draft.header))
  for (const block of draft.blocks) {
    const form = definitionOf(block)
    if (form) found.push(...photosOf(form.definition, block.answers))
    for (const fix of block.fixed) found.push(...fix.before, ...fix.after)
  }
  return found
}

export function visitBody(draft: VisitDraft, visitor: string) {
  const companions = draft.companions.split(/[,，、;；\s]+/).filter(Boolean)
  const asked = { ...draft.header, outcome: draft.outcome }
  const more = area.header ? answersToSend(area.header.definition, asked) : {}
  const header = {
    ...Object.fromEntries(Object.entries(more).filter(([id]) => !OWN_HEADER.has(id))),
    place_id: draft.place_id,
    visited_at: shanghai(draft.started_wall_ms),
    visitors: [visitor, ...companions],
    outcome: draft.outcome,
    ...(draft.photos.length ? { photos: draft.photos } : {}),
  }
  if (draft.outcome !== 'done') return { header }
  const blocks = draft.blocks.map((block) => ({
    form: block.form,
    version: block.version,
    place_id: draft.place_id,
    answers: answersToSend(definitionOf(block)!.definition, block.answers),
    fixed: block.fixed.filter((fix) => fix.before.length && fix.after.length),
  }))
  return { header, blocks }
}

/** Freeze the visit. Its draft goes in the same breath; when this resolves, nothing can lose it any more. */
export async function saveVisit(draft: VisitDraft): Promise<void> {
  const { db, sealer, worker } = opened()
  const plain = JSON.parse(JSON.stringify(draft)) as VisitDraft
  const body = visitBody(plain, worker.name)
  const ids = JSON.stringify(body)
  const photos = photosIn(plain).filter((id) => ids.includes(id))
  const attachments = await factsOf(photos)
  await write({ type: 'visit', body, attachments }, async (record) => {
    const last: LastVisit = {
      place_id: plain.place_id,
      record_id: record.id,
      at_ms: serverNow.value(),
      outcome: plain.outcome!,
      blocks: (body.blocks ?? []).map(({ fixed: _, ...block }) => block),
    }
    const held = area.visits.get(plain.place_id)
    // Nobody answered this time: what was answered last time is still the latest word.
    if (!last.blocks.length && held) last.blocks = held.blocks
    const sealed = await sealer.seal(last)
    return async () => {
      await db.visited.put({ id: plain.place_id, sealed })
      await db.drafts.delete(plain.place_id)
      await attachTo(record.id, photos)
      if (plain.repairs) await db.records.update(plain.repairs, { state: 'replaced', replaced_by: record.id })
    }
  })
}

// -- drafts -------------------------------------------------------------------------------------

export async function keepDraft(draft: VisitDraft): Promise<void> {
  const { db, sealer } = opened()
  const sealed = await sealer.seal(draft)
  await db.drafts.put({ id: draft.place_id, sealed })
}

export async function loadDraft(place: string): Promise<VisitDraft | null> {
  const { db, sealer } = opened()
  const row = await db.drafts.get(place)
  return row ? sealer.open<VisitDraft>(row.sealed) : null
}

export async function dropDraft(place: string): Promise<void> {
  const { db, sealer } = opened()
  await db.drafts.delete(place)
  const rest = await Promise.all((await db.drafts.toArray()).map((row) => sealer.open<VisitDraft>(row.sealed)))
  await dropOrphans(new Set(rest.flatMap(photosIn)))
}
