/** Identifiers: UUIDv7 for what the phone makes, UUIDv5 for what server and phone compute alike. */
import type { Platform } from './platform'

export const NS_HAZARD = '6f2b7c1e-52a4-5d0b-9c61-3d1f0a7e8b42'

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

function spell(bytes: Uint8Array): string {
  const hex = hexOf(bytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/** A UUIDv7: sorts by the wall clock, which is only a convenience; nothing is ever ordered by it. */
export function uuid7(platform: Platform, wallMs: number): string {
  const bytes = platform.random(16)
  let time = Math.max(0, Math.min(wallMs, 2 ** 48 - 1))
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256
    time = Math.floor(time / 256)
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return spell(bytes)
}

/** A random UUIDv4, for installations and boots. */
export function uuid4(platform: Platform): string {
  const bytes = platform.random(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return spell(bytes)
}

export async function uuid5(platform: Platform, namespace: string, name: string): Promise<string> {
  const text = new TextEncoder().encode(name)
  const space = bytesOf(namespace.replaceAll('-', ''))
  const both = new Uint8Array(space.length + text.length)
  both.set(space)
  both.set(text, space.length)
  const bytes = (await platform.sha1(both)).slice(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return spell(bytes)
}

/** Which hazard is meant: a chain (group of rules, or one rule) at a locus of a place, for ever. */
export function hazardId(platform: Platform, community: string, place: string, chain: string, locus: string) {
  return uuid5(platform, NS_HAZARD, `${community.toLowerCase()}|${place.toLowerCase()}|${chain}|${locus}`)
}
