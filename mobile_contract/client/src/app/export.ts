/** The last resort: everything that was not acknowledged, as a file that the community can take in by hand. */
import { wireOf } from '../engine/records'
import { hexOf } from '../engine/ids'
import { APP_VERSION, installId, opened } from './phone'

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}

export interface Exported {
  name: string
  file: Blob
  records: number
}

/** Records as a push would carry them, and the photos that wait. */
export async function exportOutbox(): Promise<Exported> {
  const { store, db, sealer, worker } = opened()
  const records = await store.records('waiting')
  const photos = await db.photos.where('state').equals('waiting').toArray()
  const { byBoot, last } = await store.anchors()
  for (const record of records) record.anchor ??= byBoot.get(record.boot_id) ?? record.before ?? last
  const files = []
  for (const photo of photos) {
    const blob = await db.blobs.get(photo.id)
    if (!blob) continue
    const body = base64(await sealer.openBytes(blob.sealed))
    files.push({ id: photo.id, sha256: photo.sha256, mime: photo.mime, kind: photo.kind, base64: body })
  }
  const whole = {
    saolou_outbox: 1,
    install_id: await installId(),
    community_id: worker.community_id,
    app_version: APP_VERSION,
    records: records.map(wireOf),
    files,
  }
  const stamp = hexOf(crypto.getRandomValues(new Uint8Array(3)))
  const file = new Blob([JSON.stringify(whole)], { type: 'application/json' })
  return { name: `saolou-outbox-${new Date().toISOString().slice(0, 10)}-${stamp}.json`, file, records: records.length }
}
