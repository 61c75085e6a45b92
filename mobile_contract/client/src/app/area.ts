/** What the feed brought, in memory: the tree of places, tasks by place, forms. Read whole once the key is there. */
import { shallowReactive } from 'vue'
import type { FeedRow } from '../engine/ports'
import type { PublishedForm, Severity } from '../forms/definition'

export interface Place {
  id: string
  kind: string
  parent_id: string | null
  name: string
  code: string | null
  address_raw: string | null
  merged_into: string | null
  withdrawn: boolean
  /** Added on this phone, not yet seen in the feed. */
  local?: boolean
}

export interface Task {
  id: string
  place_id: string
  place_name: string
  form: string
  chain: string
  rules: string[]
  locus: string
  title: string
  number: string | null
  severity: Severity
  state: string
  cycle: number
  deadline_ms: number | null
  assignee_account_id: string | null
  responsible_party: string | null
  measures: string | null
  basis: string[]
}

/** The last visit of a door by this phone. */
export interface LastVisit {
  place_id: string
  record_id: string
  at_ms: number
  outcome: string
  blocks: { form: string; version: number; place_id: string; answers: Record<string, unknown> }[]
  respondent_relation?: string
}

export interface Area {
  places: Map<string, Place>
  children: Map<string, Place[]>
  tasks: Map<string, Task>
  tasksAt: Map<string, Task[]>
  forms: PublishedForm[]
  header: PublishedForm | null
  visits: Map<string, LastVisit>
  drafts: Set<string>
  stamp: number
}

export function emptyArea(): Area {
  return shallowReactive({
    places: new Map(), children: new Map(), tasks: new Map(), tasksAt: new Map(),
    forms: [], header: null, visits: new Map(), drafts: new Set(), stamp: 0,
  })
}

/** Digits in names are numbers: 2室 before 10室. */
const collator = new Intl.Collator('zh-CN', { numeric: true })
export const byName = (a: { name: string }, b: { name: string }) => collator.compare(a.name, b.name)

export function fillPlaces(area: Area, rows: FeedRow[], proposed: Place[]): void {
  const places = new Map<string, Place>()
  for (const place of proposed) places.set(place.id, place)
  for (const row of rows) {
    const data = row.data as unknown as Place
    if (data.merged_into || data.withdrawn) places.delete(row.id)
    else places.set(row.id, { ...data, id: row.id })
  }
  const children = new Map<string, Place[]>()
  for (const place of places.values()) {
    const siblings = children.get(place.parent_id ?? '')
    if (siblings) siblings.push(place)
    else children.set(place.parent_id ?? '', [place])
  }
  for (const siblings of children.values()) siblings.sort(byName)
  area.places = places
  area.children = children
}

export function fillTasks(area: Area, rows: FeedRow[]): void {
  area.tasks = new Map(rows.map((row) => [row.id, { ...(row.data as unknown as Task), id: row.id }]))
  const at = new Map<string, Task[]>()
  for (const task of area.tasks.values()) {
    const held = at.get(task.place_id)
    if (held) held.push(task)
    else at.set(task.place_id, [task])
  }
  area.tasksAt = at
}

export function fillForms(area: Area, rows: FeedRow[]): void {
  const all = rows.map((row) => row.data as unknown as PublishedForm)
  area.header = all.find((form) => form.code === 'header' && form.current) ?? null
  area.forms = all.filter((form) => form.code !== 'header').sort((a, b) => collator.compare(a.code, b.code))
}

export function currentForm(area: Area, code: string): PublishedForm | undefined {
  return area.forms.find((form) => form.code === code && form.current)
}

export const ENDED = new Set(['closed', 'void'])

export function openTasksAt(area: Area, place: string): Task[] {
  return (area.tasksAt.get(place) ?? []).filter((task) => !ENDED.has(task.state))
}

export function isOverdue(task: Task, nowMs: number): boolean {
  return task.deadline_ms !== null && task.deadline_ms < nowMs && !ENDED.has(task.state)
}

const DOORS = new Set(['household', 'premises'])
export const isDoor = (place: Place) => DOORS.has(place.kind)

/** All doors below a place. */
export function doorsBelow(area: Area, place: string): Place[] {
  const found: Place[] = []
  const waiting = [...(area.children.get(place) ?? [])]
  while (waiting.length) {
    const next = waiting.pop()!
    if (isDoor(next)) found.push(next)
    waiting.push(...(area.children.get(next.id) ?? []))
  }
  return found
}

/** A visit that found nobody leaves its door to be visited again. */
const SETTLED = new Set(['done', 'vacant', 'not_applicable', 'wrong_address'])
export const PERIOD_DAYS = 30

export type DoorState = 'todo' | 'again' | 'done'

export function doorState(area: Area, place: string, nowMs: number): DoorState {
  const visit = area.visits.get(place)
  if (!visit || nowMs - visit.at_ms > PERIOD_DAYS * 86_400_000) return 'todo'
  return SETTLED.has(visit.outcome) ? 'done' : 'again'
}
