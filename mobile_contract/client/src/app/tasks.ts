/** Steps of tasks taken on the phone, and how a task stands once the waiting ones are counted in. */
import { opened, write } from './phone'
import type { Task } from './area'
import { attachTo, factsOf } from './photos'

export interface WaitingStep {
  hazard_id: string
  kind: string
}

/** Steps that this phone has taken and the feed may not show yet. */
export async function waitingSteps(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const record of await opened().store.byType('task_step', ['waiting'])) {
    const step = JSON.parse(record.payload).step as WaitingStep
    found.set(step.hazard_id, step.kind)
  }
  return found
}

type Body = { kind: 'accept'; signature: string | null; refusal_witness: string | null } | { kind: 'submit'; note: string; photos: string[] }

export async function takeStep(task: Task, body: Body): Promise<void> {
  const ids = body.kind === 'submit' ? body.photos : body.signature ? [body.signature] : []
  const step = { hazard_id: task.id, place_id: task.place_id, ...body }
  await write({ type: 'task_step', body: step, attachments: await factsOf(ids) }, async (record) => () => attachTo(record.id, ids))
}

/** Photos of an earlier finding at this place and form that are still on the phone: to take the next from the same angle. */
export async function photosBefore(task: Task): Promise<string[]> {
  const visits = await opened().store.byType('visit', ['waiting', 'stored'])
  for (const record of visits.reverse()) {
    const visit = JSON.parse(record.payload).visit
    const blocks: { form: string; place_id: string; fixed?: { before: string[] }[] }[] = visit?.blocks ?? []
    const block = blocks.find((one) => one.place_id === task.place_id && one.form === task.form)
    if (!block) continue
    const ids = [...(block.fixed ?? []).flatMap((fix) => fix.before), ...(visit.header.photos ?? [])]
    if (ids.length) return ids
  }
  return []
}
