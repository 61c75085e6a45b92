/** Photos: made small, hashed, and sealed on the phone before anything else happens with them. */
import { webPlatform } from '../engine/platform'
import type { AttachmentFact } from '../engine/records'
import type { PhotoRow } from '../store/worker_db'
import { counts, newId, opened } from './phone'

const LONGEST_PX = 1600
const QUALITY = 0.8
const MIME = 'image/jpeg'

export class PhotoUnreadable extends Error {}

/** Drawn anew: smaller, and without the place and the phone's serial number that cameras write into files. */
async function shrink(file: Blob): Promise<Blob> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    throw new PhotoUnreadable()
  }
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, MIME, QUALITY))
  if (!blob) throw new PhotoUnreadable()
  return blob
}

/** Keep a picture; it belongs to a draft until a record names it. */
export async function keepPhoto(file: Blob, kind: 'photo' | 'signature' = 'photo'): Promise<string> {
  const { db, sealer } = opened()
  const blob = kind === 'photo' ? await shrink(file) : file
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const id = newId()
  const sealed = await sealer.sealBytes(bytes)
  const row: PhotoRow = {
    id,
    sha256: await webPlatform.sha256(bytes),
    bytes: bytes.length,
    mime: blob.type || MIME,
    kind,
    taken_wall_ms: Date.now(),
    state: 'held',
    record_id: null,
    sent: 0,
    url: null,
    refusal: null,
    acked_ms: null,
  }
  await db.transaction('rw', db.photos, db.blobs, async () => {
    await db.photos.add(row)
    await db.blobs.add({ id, sealed })
  })
  await counts()
  return id
}

/** Only what no record names may be thrown away. */
export async function dropPhoto(id: string): Promise<void> {
  const { db } = opened()
  await dropHeld(await db.photos.where('id').equals(id).toArray())
}

export async function photoUrl(id: string): Promise<string | null> {
  const { db, sealer } = opened()
  const [photo, blob] = await Promise.all([db.photos.get(id), db.blobs.get(id)])
  if (!photo || !blob) return null
  const bytes = await sealer.openBytes(blob.sealed)
  return URL.createObjectURL(new Blob([bytes as BlobPart], { type: photo.mime }))
}

export async function factsOf(ids: string[]): Promise<AttachmentFact[]> {
  const { db } = opened()
  const rows = await db.photos.bulkGet([...new Set(ids)])
  return rows.filter((row) => row !== undefined).map(({ id, sha256, bytes, mime }) => ({ id, sha256, bytes, mime }))
}

/** Call within the transaction that keeps the record. */
export async function attachTo(record_id: string, ids: string[]): Promise<void> {
  const { db } = opened()
  await db.photos.where('id').anyOf(ids).filter((photo) => photo.state === 'held').modify({ state: 'waiting', record_id })
}

/** Photos that a killed browser left behind without a draft or a record. */
export async function dropOrphans(named: ReadonlySet<string>): Promise<void> {
  const { db } = opened()
  const held = await db.photos.where('state').equals('held').toArray()
  await dropHeld(held.filter((photo) => !named.has(photo.id)))
}

async function dropHeld(photos: PhotoRow[]): Promise<void> {
  const { db } = opened()
  const ids = photos.filter((photo) => photo.state === 'held').map((photo) => photo.id)
  await db.transaction('rw', db.photos, db.blobs, async () => {
    await db.photos.bulkDelete(ids)
    await db.blobs.bulkDelete(ids)
  })
}

