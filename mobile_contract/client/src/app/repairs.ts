/** Repairing what the server has in quarantine: a frozen record is never changed, a better one takes its place. */
import type { KeptRecord } from '../engine/records'
import { area, opened, write } from './phone'
import { attachTo } from './photos'
import { currentForm } from './area'
import { keepDraft, newBlock, newDraft } from './visits'

/** Where to go on, or null when it was sent again at once. */
export async function repair(record: KeptRecord): Promise<string | null> {
  const payload = JSON.parse(record.payload)
  if (record.type === 'visit' && payload.visit) return reopen(record, payload.visit)
  const { db } = opened()
  const body = payload.place ?? payload.step
  const attachments: { id: string }[] = payload.attachments ?? []
  await write({ type: record.type, body, attachments: payload.attachments }, async (fresh) => async () => {
    await attachTo(fresh.id, attachments.map((one) => one.id))
    await db.records.update(record.id, { state: 'replaced', replaced_by: fresh.id })
  })
  return null
}

/** The visit as a draft again, to be corrected at the screen; the old one is replaced when the new one is frozen. */
async function reopen(record: KeptRecord, visit: any): Promise<string> {
  const header = visit.header ?? {}
  const place = area.places.get(header.place_id)
  const { photos, visitors, outcome, place_id: _, visited_at: __, ...rest } = header
  const draft = newDraft(place ?? ({ id: header.place_id } as never))
  draft.started_wall_ms = record.made_wall_ms
  draft.outcome = outcome ?? null
  draft.companions = (visitors ?? []).slice(1).join('、')
  draft.header = rest
  draft.photos = photos ?? []
  draft.repairs = record.id
  for (const block of visit.blocks ?? []) {
    const form = area.forms.find((one) => one.code === block.form && one.version === block.version) ?? currentForm(area, block.form)
    if (form) draft.blocks.push({ ...newBlock(form, block.answers ?? {}), fixed: block.fixed ?? [] })
  }
  await keepDraft(draft)
  return `/door/${header.place_id}`
}
