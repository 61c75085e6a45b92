/** A worker's data key: random, wrapped by the PIN. What is stolen with the phone is only as safe as the PIN is long. */

export const ITERATIONS = 310_000

export interface WrappedKey {
  salt: Uint8Array
  iterations: number
  iv: Uint8Array
  body: Uint8Array
}

async function pinKey(pin: string, salt: Uint8Array, iterations: number): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    { name: 'PBKDF2', hash: 'SHA-256', salt: salt as BufferSource, iterations },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

export function newDataKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32))
}

/** The key as WebCrypto uses it; it cannot be read back out of the page. */
export function dataKeyOf(raw: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw as BufferSource, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

export async function wrapByPin(raw: Uint8Array, pin: string, iterations = ITERATIONS): Promise<WrappedKey> {
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const key = await pinKey(pin, salt, iterations)
  const body = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, raw as BufferSource))
  return { salt, iterations, iv, body }
}

/** The raw data key, or null for a wrong PIN. */
export async function unwrapByPin(wrapped: WrappedKey, pin: string): Promise<Uint8Array | null> {
  const key = await pinKey(pin, wrapped.salt, wrapped.iterations)
  try {
    const { iv, body } = wrapped
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: iv as BufferSource }, key, body as BufferSource))
  } catch {
    return null
  }
}
