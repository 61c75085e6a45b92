/** What the engine needs of the machine it runs on. A mini-program or a native app brings its own. */

export interface Platform {
  random(count: number): Uint8Array
  /** Lower-case hexadecimal SHA-256. */
  sha256(bytes: Uint8Array): Promise<string>
  sha1(bytes: Uint8Array): Promise<Uint8Array>
}

export interface ClockReading {
  wall_ms: number
  elapsed_ms: number
  boot_id: string
}

/** Two clocks: one that only runs forward since a boot, and the wall clock, which may be wrong by years. */
export interface Clock {
  read(): ClockReading
}

/** WebCrypto, as browsers and Node offer it. */
export const webPlatform: Platform = {
  random: (count) => crypto.getRandomValues(new Uint8Array(count)),
  sha256: async (bytes) => {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource))
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  },
  sha1: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-1', bytes as BufferSource)),
}
