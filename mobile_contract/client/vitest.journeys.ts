import { defineConfig } from 'vitest/config'

/** Against a running server, which the caller names: see tests/phone of the project. */
export default defineConfig({ test: { include: ['journeys/**/*.journey.ts'], testTimeout: 120_000 } })
