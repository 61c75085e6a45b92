/** Sealing of what lies on the phone: AES-GCM under the worker's data key, which never lies there in the clear. */

export interface Sealer {
  seal(value: unknown): Promise<Uint8Array>
  open<T>(sealed: Uint8Array): Promise<T>
  sealBytes(bytes: Uint8Array): Promise<Uint8Array>
  openBytes(sealed: Uint8Array): Promise<Uint8Array>
}

const IV = 12

export function sealerOf(key: CryptoKey): Sealer {
  const sealBytes = async (bytes: Uint8Array) => {
    const iv = crypto.getRandomValues(new Uint8Array(IV))
    const body = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, bytes as BufferSource)
    const sealed = new Uint8Array(IV + body.byteLength)
    sealed.set(iv)
    sealed.set(new Uint8Array(body), IV)
    return sealed
  }
  const openBytes = async (sealed: Uint8Array) => {
    const iv = sealed.slice(0, IV)
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed.slice(IV)))
  }
  return {
    sealBytes,
    openBytes,
    seal: (value) => sealBytes(new TextEncoder().encode(JSON.stringify(value))),
    open: async <T>(sealed: Uint8Array) => JSON.parse(new TextDecoder().decode(await openBytes(sealed))) as T,
  }
}
