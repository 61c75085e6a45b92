/** A boot's clock out of a monotonic and a wall clock. */
import { uuid4 } from './ids'
import type { Clock, ClockReading, Platform } from './platform'

/** How far the two clocks may drift apart before the phone must have slept, or its wall clock was set. */
export const DRIFT_MS = 10_000

/**
 * A page knows no clock since the phone's boot: `monotonic` counts since the page was loaded, and on some phones stops
 * while the phone sleeps. So a "boot" here is a stretch in which both clocks ran alike: when they no longer agree (sleep,
 * or somebody set the wall clock), the elapsed time cannot be trusted across the gap, and a new boot begins. Records
 * never depend on the wall clock; at worst a boot that never met the server is `estimated`.
 */
export class BootClock implements Clock {
  private boot: string
  private offset: number

  constructor(
    private readonly platform: Platform,
    private readonly monotonic: () => number,
    private readonly wall: () => number,
  ) {
    this.boot = uuid4(platform)
    this.offset = wall() - monotonic()
  }

  read(): ClockReading {
    const elapsed = Math.floor(this.monotonic())
    const wall = Math.floor(this.wall())
    if (Math.abs(wall - elapsed - this.offset) > DRIFT_MS) {
      this.boot = uuid4(this.platform)
      this.offset = wall - elapsed
    }
    return { wall_ms: wall, elapsed_ms: elapsed, boot_id: this.boot }
  }
}
