/** The data key once more, wrapped for the community: what a forgotten PIN, or a colleague's waiting records, need. */
import { bytesOf } from '../engine/ids'

const VERSION = 1
const INFO = 'saolou phone data key'
const CURVE = { name: 'ECDH', namedCurve: 'P-256' }

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const idBytes = (id: string) => bytesOf(id.replaceAll('-', ''))

/** For the holder of the private key of `point`, who learns it only for this community and account. */
export async function wrapForCommunity(
  point: Uint8Array,
  rawKey: Uint8Array,
  community: string,
  account: string,
): Promise<Uint8Array> {
  const theirs = await crypto.subtle.importKey('raw', point as BufferSource, CURVE, false, [])
  const ours = await crypto.subtle.generateKey(CURVE, false, ['deriveBits'])
  const secret = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256)
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode(INFO) }
  const key = await crypto.subtle.deriveKey(hkdf, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const additionalData = joined(idBytes(community), idBytes(account))
  const body = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, rawKey as BufferSource)
  const own = new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey))
  return joined(Uint8Array.of(VERSION), own, iv, new Uint8Array(body))
}
