/** A phone without a screen: the engine on IndexedDB in memory. */
import 'fake-indexeddb/auto'
import { BootClock } from '../src/engine/clock'
import { webPlatform } from '../src/engine/platform'
import type { Transport } from '../src/engine/ports'
import type { Tokens } from '../src/engine/session'
import { SyncEngine } from '../src/engine/sync'
import { DeviceDb } from '../src/store/device'
import { DexieStore } from '../src/store/dexie_store'
import { sealerOf } from '../src/store/sealing'
import { dataKeyOf, newDataKey } from '../src/store/vault'
import { WorkerDb } from '../src/store/worker_db'

let made = 0

export interface TestPhone {
  engine: SyncEngine
  store: DexieStore
  db: WorkerDb
  clock: { monotonic: number; wall: number }
  tokens: { now: Tokens }
  reboot(): void
}

export async function makePhone(transport: Transport, head = {}, tokens?: Tokens): Promise<TestPhone> {
  made += 1
  const db = new WorkerDb(`worker-${made}`)
  const device = new DeviceDb(`device-${made}`)
  const store = new DexieStore(db, device, sealerOf(await dataKeyOf(newDataKey())))
  const held = { now: tokens ?? { access_token: 'a1', refresh_token: 'r1' } }
  const phone = { store, db, tokens: held, clock: { monotonic: 5000, wall: Date.now() } } as TestPhone
  phone.reboot = () => {
    const clock = new BootClock(webPlatform, () => phone.clock.monotonic, () => phone.clock.wall)
    phone.engine = new SyncEngine({
      store,
      transport,
      clock,
      platform: webPlatform,
      tokens: { load: async () => held.now, save: async (fresh) => void (held.now = fresh) },
      head: { install_id: crypto.randomUUID(), community_id: crypto.randomUUID(), app_version: 'test', ...head },
    })
  }
  phone.reboot()
  return phone
}

export function visit(place: string = crypto.randomUUID(), remark = '楼道') {
  const header = { place_id: place, visited_at: '2026-11-20T09:30:00+08:00', visitors: ['石小满'], outcome: 'no_answer', remark }
  return { type: 'visit' as const, author_id: crypto.randomUUID(), body: { header } }
}
