/** The running app: who is signed in, what waits, and when it is sent. The only place that knows engine, storage and time. */
import { reactive, shallowRef } from 'vue'
import { BootClock } from '../engine/clock'
import { uuid4 } from '../engine/ids'
import { webPlatform } from '../engine/platform'
import { Unreachable, type FeedRow, type Transport } from '../engine/ports'
import type { Draft, KeptRecord } from '../engine/records'
import { Busy, Revoked, SignInNeeded, type Tokens } from '../engine/session'
import { SyncEngine } from '../engine/sync'
import { fetchTransport } from '../net/transport'
import { DeviceDb, type Worker } from '../store/device'
import { DexieStore } from '../store/dexie_store'
import { sealerOf, type Sealer } from '../store/sealing'
import { dataKeyOf } from '../store/vault'
import { WorkerDb } from '../store/worker_db'
import { emptyArea, fillCampaigns, fillForms, fillPlaces, fillTasks, type Area, type LastVisit, type Place } from './area'

export const APP_VERSION = '0.1.0'
const SYNC_EVERY_MS = 60_000
const AFTER_WRITE_MS = 1_500

export type Phase = 'loading' | 'signin' | 'community' | 'pin' | 'oldpin' | 'locked' | 'open'
export type Trouble = '' | 'unreachable' | 'busy' | 'sign_in' | 'revoked' | 'failed'

/** A log-in that has no PIN yet. */
export interface Arrival {
  username: string
  account_id: string
  name: string
  tokens: Tokens
  memberships: { community_id: string; community_name: string; role: string; place_id: string | null }[]
  chosen: number
}

export const state = reactive({
  phase: 'loading' as Phase,
  workers: [] as Worker[],
  current: null as Worker | null,
  syncing: false,
  trouble: '' as Trouble,
  waiting: 0,
  stuck: 0,
  quarantined: 0,
  stored: 0,
  photosWaiting: 0,
  photosRefused: 0,
  photoBytes: { sent: 0, total: 0 },
  lastSuccessMs: 0,
  minSchema: 1,
  freeMb: null as number | null,
  persistent: true,
  updateReady: false,
})

export const arrival = shallowRef<Arrival | null>(null)
export const area: Area = emptyArea()

/** What exists only while the key is here. */
export interface Open {
  worker: Worker
  db: WorkerDb
  store: DexieStore
  sealer: Sealer
  engine: SyncEngine
  rawKey: Uint8Array
}

let open: Open | null = null
export const isOpen = () => open !== null
export function opened(): Open {
  if (!open) throw new Error('locked')
  return open
}

export const device = new DeviceDb()
export const transport: Transport = fetchTransport('')
const clock = new BootClock(webPlatform, () => performance.now(), () => Date.now())
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('saolou')

/** The server's time as well as the phone knows it: to show deadlines by, never to order anything. */
export const serverNow = shallowRef<() => number>(() => Date.now())

const SKEW = 'wall_skew_ms'

/** By this boot's anchor; without one by the wall clock, put right by what it was wrong by at the last anchor. */
async function setServerNow(store: DexieStore): Promise<void> {
  const now = clock.read()
  const anchor = (await store.anchors()).byBoot.get(now.boot_id)
  if (anchor) {
    serverNow.value = () => anchor.server_ms + performance.now() - anchor.elapsed_ms
    await store.setMeta(SKEW, serverNow.value() - now.wall_ms)
    return
  }
  const skew = (await store.meta<number>(SKEW)) ?? 0
  serverNow.value = () => Date.now() + skew
}

export function newId(): string {
  return uuid4(webPlatform)
}

export function installId(): Promise<string> {
  return device.installId(newId)
}

export async function start(): Promise<void> {
  state.workers = await device.workers.toArray()
  state.phase = state.workers.length ? 'locked' : 'signin'
  window.addEventListener('online', () => void syncNow())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void syncNow()
  })
  setInterval(() => void syncNow(), SYNC_EVERY_MS)
  channel?.addEventListener('message', (event) => {
    if (event.data === open?.worker.id) void refresh(true)
  })
}

// -- opening and closing -------------------------------------------------------------------------

export async function enter(worker: Worker, rawKey: Uint8Array): Promise<void> {
  const sealer = sealerOf(await dataKeyOf(rawKey))
  const db = new WorkerDb(worker.id)
  const store = new DexieStore(db, device, sealer)
  open = { worker, db, store, sealer, engine: null as never, rawKey }
  open.engine = new SyncEngine({ store, ...(await engineParts(worker)), changed: () => void counts() })
  arrival.value = null
  state.current = worker
  state.workers = await device.workers.toArray()
  state.trouble = ''
  await refresh(true)
  state.phase = 'open'
  void navigator.storage?.persist?.().then((granted) => (state.persistent = granted))
  void syncNow()
}

/** What an engine that works with this worker's log-in needs besides its storage. */
export async function engineParts(worker: Worker) {
  const { sealer } = opened()
  return {
    transport,
    platform: webPlatform,
    clock,
    head: { install_id: await installId(), community_id: worker.community_id, app_version: APP_VERSION },
    tokens: {
      load: async () => {
        const sealed = (await device.workers.get(worker.id))?.tokens
        return sealed ? sealer.open<Tokens>(sealed) : null
      },
      save: async (tokens: Tokens) => void (await device.workers.update(worker.id, { tokens: await sealer.seal(tokens) })),
    },
  }
}

/** The key leaves memory; everything else stays where it is. */
export async function lock(): Promise<void> {
  open?.db.close()
  open = null
  state.current = null
  Object.assign(area, emptyArea())
  placeRows = []
  // Whoever opens it next begins at the beginning, not on somebody else's page.
  location.hash = '#/'
  state.workers = await device.workers.toArray()
  state.phase = state.workers.length ? 'locked' : 'signin'
}

/** Refused while anything waits. Then this worker's data leaves the phone: the server has it all. */
export async function logOut(): Promise<boolean> {
  const { worker, db, store } = opened()
  await counts()
  if (unsent()) return false
  const sealed = (await device.workers.get(worker.id))?.tokens
  if (sealed) {
    const tokens = await opened().sealer.open<Tokens>(sealed)
    const body = { refresh_token: tokens.refresh_token, install_id: await installId() }
    await transport.post('/sync/v1/auth/logout', body, null, false).catch(() => undefined)
  }
  if ((await store.count('waiting')) > 0) return false
  await db.delete()
  await device.workers.delete(worker.id)
  await lock()
  return true
}

/** Everything of this worker that is not safely on the server. Quarantined records are: byte for byte. */
export function unsent(): number {
  return state.waiting + state.photosWaiting
}

// -- data ---------------------------------------------------------------------------------------

/** Places as the feed has them; opening thousands of rows is worth doing once a change. */
let placeRows: FeedRow[] = []

async function refreshFeed({ store }: Open): Promise<void> {
  const [places, tasks, forms, campaigns, targets] = await Promise.all(
    ['place', 'task', 'form', 'campaign', 'target'].map((entity) => store.rows(entity)),
  )
  placeRows = places!
  fillTasks(area, tasks!)
  fillForms(area, forms!)
  fillCampaigns(area, campaigns!, targets!)
}

/** Read again what screens show; what the feed brought only when it has `fed` something. */
export async function refresh(fed = false): Promise<void> {
  if (!open) return
  const { db, store, sealer } = open
  await setServerNow(store)
  if (fed) await refreshFeed(open)
  const [visited, drafts, proposed] = await Promise.all([
    db.visited.toArray(),
    db.drafts.toCollection().primaryKeys(),
    proposals(),
  ])
  fillPlaces(area, placeRows, proposed)
  const visits = await Promise.all(visited.map((row) => sealer.open<LastVisit>(row.sealed)))
  area.visits = new Map(visits.map((visit) => [visit.place_id, visit]))
  area.drafts = new Set(drafts as string[])
  area.stamp += 1
  await counts()
}

/** Doors added on this phone: there until the feed brings them. */
async function proposals(): Promise<Place[]> {
  const rows = await opened().store.byType('place_proposal', ['waiting', 'stored'])
  return rows.map((record) => ({ ...JSON.parse(record.payload).place, code: null, merged_into: null, withdrawn: false, local: true }))
}

export async function counts(): Promise<void> {
  if (!open) return
  const { store, db } = open
  state.waiting = await store.count('waiting')
  state.stuck = await store.countStuck()
  state.quarantined = await store.count('quarantined')
  state.stored = await store.count('stored')
  const photos = await db.photos.where('state').equals('waiting').toArray()
  state.photosWaiting = photos.length
  state.photosRefused = await db.photos.where('state').equals('refused').count()
  state.photoBytes = {
    sent: photos.reduce((sum, photo) => sum + photo.sent, 0),
    total: photos.reduce((sum, photo) => sum + photo.bytes, 0),
  }
  state.lastSuccessMs = (await store.meta<number>('last_success_ms')) ?? 0
  state.minSchema = (await store.meta<number>('min_schema')) ?? 1
  const estimate = await navigator.storage?.estimate?.()
  if (estimate?.quota) state.freeMb = Math.floor((estimate.quota - (estimate.usage ?? 0)) / 1e6)
}

/** Freeze a record of the worker at the screen. It is safe when this resolves. */
export async function write(
  draft: Omit<Draft, 'author_id'>,
  prepare?: (record: KeptRecord) => Promise<() => Promise<void>>,
): Promise<KeptRecord> {
  const { engine, worker } = opened()
  const record = await engine.write({ ...draft, author_id: worker.account_id }, prepare)
  await counts()
  setTimeout(() => void syncNow(), AFTER_WRITE_MS)
  return record
}

/** Done after every round that went through; others add to it. */
export const afterSync: (() => Promise<void>)[] = []

// -- syncing ------------------------------------------------------------------------------------

const TROUBLES: [new (...args: never[]) => Error, Trouble][] = [
  [Unreachable, 'unreachable'],
  [Busy, 'busy'],
  [SignInNeeded, 'sign_in'],
  [Revoked, 'revoked'],
]

/** One tab at a time; a second one finds the door closed and goes on working. */
export async function syncNow(): Promise<void> {
  if (!open || state.syncing || state.phase !== 'open') return
  const mine = open
  const run = async () => {
    state.syncing = true
    try {
      const report = await mine.engine.sync()
      state.trouble = report.revoked ? 'revoked' : ''
      for (const job of afterSync) await job()
      if (open === mine) await refresh(report.pull?.changed ?? false)
      channel?.postMessage(mine.worker.id)
    } catch (error) {
      state.trouble = TROUBLES.find(([kind]) => error instanceof kind)?.[1] ?? 'failed'
      if (state.trouble === 'failed') console.error(error)
      if (open === mine) await counts()
    } finally {
      state.syncing = false
    }
  }
  if (!navigator.locks) return run()
  await navigator.locks.request(`sync ${mine.worker.id}`, { ifAvailable: true }, async (held) => {
    if (held) await run()
  })
}
