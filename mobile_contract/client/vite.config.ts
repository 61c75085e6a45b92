import { createHash } from 'node:crypto'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const BASE = '/m/'

/** Vant's icon font names a foreign host as its second source; the first, inside the style sheet, is enough. */
function noForeignHosts(): Plugin {
  return {
    name: 'no-foreign-hosts',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('vant') || !id.endsWith('.css')) return null
      return code.replace(/,\s*url\((?:\/\/|https?:)[^)]*\)\s*format\((?:"[^"]*"|'[^']*'|[^)]*)\)/g, '')
    },
  }
}

/** The service worker is told what to keep, and its version by what that is. */
function precache(): Plugin {
  return {
    name: 'precache',
    generateBundle(_, bundle) {
      const worker = Object.values(bundle).find((file) => file.fileName === 'sw.js')
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/'))
      if (worker?.type !== 'chunk') throw new Error('no service worker')
      // The page itself goes by the folder's address: a redirect may not answer a navigation.
      const list = [BASE, ...files.map((name) => BASE + name), `${BASE}manifest.webmanifest`, `${BASE}icon.svg`]
      const hash = createHash('sha256')
      for (const name of [...files].sort()) hash.update(name)
      worker.code = worker.code
        .replace('__PRECACHE__', JSON.stringify(list))
        .replaceAll('__VERSION__', hash.digest('hex').slice(0, 12))
    },
  }
}

export default defineConfig({
  base: BASE,
  plugins: [noForeignHosts(), vue(), precache()],
  build: {
    target: 'es2021',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { app: 'index.html', sw: 'src/sw.ts' },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})
