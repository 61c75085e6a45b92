/** The second queue: photos, after the records of each round and never before them. */
import type { PhotoRow } from '../store/worker_db'
import { counts, opened, type Open } from './phone'

const DAY_MS = 86_400_000
const KEPT_DAYS = 30

/** Bring what waits. One that fails does not hold up the next, unless nothing can be reached. */
export async function sendPhotos(): Promise<void> {
  const mine = opened()
  const waiting = await mine.db.photos.where('state').equals('waiting').toArray()
  waiting.sort((a, b) => a.taken_wall_ms - b.taken_wall_ms)
  for (const photo of waiting) {
    const on = await sendOne(mine, photo, true)
    await counts()
    if (!on) return
  }
  await evict(mine)
}

/** False when it is of no use to go on now. */
async function sendOne(mine: Open, photo: PhotoRow, mayRenew: boolean): Promise<boolean> {
  const { db, sealer, engine, worker } = mine
  const { sendFile } = await import('../net/files')
  const blob = await db.blobs.get(photo.id)
  if (!blob) return true
  const bytes = await sealer.openBytes(blob.sealed)
  const note = (sent: number, url: string | null) => void db.photos.update(photo.id, { sent, url }).then(counts)
  const token = await engine.session.accessToken()
  const result = await sendFile(photo, bytes, token, worker.community_id, note)
  if (result.fate === 'stored') {
    const acked_ms = (await mine.store.meta<number>('server_time_ms')) ?? 0
    await db.photos.update(photo.id, { state: 'stored', sent: photo.bytes, acked_ms })
    return true
  }
  if (result.fate === 'refused') {
    await db.photos.update(photo.id, { state: 'refused', refusal: result.code })
    return true
  }
  if (result.fate === 'anew') {
    await db.photos.update(photo.id, { url: null, sent: 0 })
    return mayRenew ? sendOne(mine, { ...photo, url: null }, false) : true
  }
  if (result.url !== photo.url) await db.photos.update(photo.id, { url: result.url })
  if (result.status === 401 && mayRenew) {
    await engine.session.renewNow()
    return sendOne(mine, { ...photo, url: result.url }, false)
  }
  // Conflicts and locks are this file's own; silence, quotas and a full disk are everybody's.
  return [409, 423, 460].includes(result.status)
}

/** Photos may go once a restore-tested backup holds them, or 30 days after; records stay longer than photos. */
async function evict({ db, store }: Open): Promise<void> {
  const safe = (await store.meta<number>('safe_through_ms')) ?? 0
  const now = (await store.meta<number>('server_time_ms')) ?? 0
  const old = (photo: PhotoRow) =>
    photo.acked_ms !== null && (photo.acked_ms < safe || (safe === 0 && now - photo.acked_ms > KEPT_DAYS * DAY_MS))
  const gone = await db.photos.where('state').equals('stored').filter(old).toArray()
  await db.blobs.bulkDelete(gone.map((photo) => photo.id))
}
