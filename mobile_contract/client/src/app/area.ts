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
  /** Sent back, and nothing has happened since. */
  returned?: { reason: string | null; at_ms: number } | null
}

/** A door where campaigns want something, all of them at once. */
export interface Target {
  id: string
  forms: string[]
  last_contact_ms: number | null
  due: { campaign_id: string; round: number; forms: string[]; state: string; attempts: number; slots: number }[]
}

export interface Campaign {
  id: string
  name: string
  rounds: { n: number; from_ms: number; to_ms: number }[]
  cool_down_days: number
  quiet_from: string | null
  quiet_until: string | null
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
  targets: Map<string, Target>
  campaigns: Map<string, Campaign>
  visits: Map<string, LastVisit>
  drafts: Set<string>
  stamp: number
}

export function emptyArea(): Area {
  return shallowReactive({
    places: new Map(), children: new Map(), tasks: new Map(), tasksAt: new Map(),
    forms: [], header: null, targets: new Map(), campaigns: new Map(), visits: new Map(), drafts: new Set(), stamp: 0,
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

export function fillCampaigns(area: Area, campaigns: FeedRow[], targets: FeedRow[]): void {
  area.campaigns = new Map(campaigns.map((row) => [row.id, { ...(row.data as unknown as Campaign), id: row.id }]))
  area.targets = new Map(targets.map((row) => [row.id, { ...(row.data as unknown as Target), id: row.id }]))
}

/** The round that is on, or null: before it nothing is due, afterwards it is missed. */
function roundAt(campaign: Campaign | undefined, n: number, nowMs: number) {
  const round = campaign?.rounds.find((one) => one.n === n)
  return round && round.from_ms <= nowMs && nowMs < round.to_ms ? round : null
}

export function isSweeping(area: Area, nowMs: number): boolean {
  return [...area.campaigns.values()].some((campaign) => campaign.rounds.some((one) => roundAt(campaign, one.n, nowMs)))
}

/** What campaigns want at a door now. */
export function dueAt(area: Area, place: string, nowMs: number): Target['due'] {
  const due = area.targets.get(place)?.due ?? []
  return due.filter((one) => roundAt(area.campaigns.get(one.campaign_id), one.round, nowMs))
}

export function formsDue(area: Area, place: string, nowMs: number): string[] {
  return [...new Set(dueAt(area, place, nowMs).flatMap((one) => one.forms))]
}

const DAY_MS = 86_400_000
const MINUTES = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))

/** Why the people behind this door should be left in peace for now: days since they were met, or the quiet hours. */
export function peace(area: Area, place: string, nowMs: number): { days: number | null; quiet: string | null } {
  const met = area.targets.get(place)?.last_contact_ms ?? null
  const minute = new Date(nowMs + 8 * 3_600_000)
  const now = minute.getUTCHours() * 60 + minute.getUTCMinutes()
  let days: number | null = null
  let quiet: string | null = null
  for (const { campaign_id } of dueAt(area, place, nowMs)) {
    const campaign = area.campaigns.get(campaign_id)!
    if (met !== null && nowMs - met < campaign.cool_down_days * DAY_MS) days = Math.floor((nowMs - met) / DAY_MS)
    const { quiet_from: from, quiet_until: until } = campaign
    if (!from || !until) continue
    const inside = MINUTES(from) <= MINUTES(until) ? now >= MINUTES(from) && now < MINUTES(until) : now >= MINUTES(from) || now < MINUTES(until)
    if (inside) quiet = `${from}–${until}`
  }
  return { days, quiet }
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

/** `none`: no campaign wants anything here now. */
export type DoorState = 'todo' | 'again' | 'done' | 'none'

/** How a door stands: as campaigns want it, or where none is on, by this phone's own visits of the last weeks. */
export function doorState(area: Area, place: string, nowMs: number, sweeping: boolean): DoorState {
  const visit = area.visits.get(place)
  if (!sweeping) {
    if (!visit || nowMs - visit.at_ms > PERIOD_DAYS * DAY_MS) return 'todo'
    return SETTLED.has(visit.outcome) ? 'done' : 'again'
  }
  const due = dueAt(area, place, nowMs)
  const began = Math.min(...due.map((one) => roundAt(area.campaigns.get(one.campaign_id), one.round, nowMs)!.from_ms))
  const mine = visit && (due.length === 0 ? nowMs - visit.at_ms < PERIOD_DAYS * DAY_MS : visit.at_ms >= began) ? visit : null
  if (!due.length) return mine ? 'done' : 'none'
  if (!mine) return due.some((one) => one.state !== 'not_visited') ? 'again' : 'todo'
  // The feed may not have heard of this visit yet: what it covered is settled.
  const filled = new Set(mine.blocks.map((block) => block.form))
  const covered = mine.outcome !== 'done' || due.every((one) => one.forms.every((form) => filled.has(form)))
  return SETTLED.has(mine.outcome) && covered ? 'done' : 'again'
}
