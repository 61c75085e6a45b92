/// <reference lib="webworker" />
/** Keeps the app itself on the phone. It never touches what the phone sends: that is the outbox's business. */
declare const self: ServiceWorkerGlobalScope
declare const __PRECACHE__: string[]

const VERSION = 'saolou-__VERSION__'
const PAGE = '/m/'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(__PRECACHE__)))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith('saolou-') && name !== VERSION) await caches.delete(name)
      }
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('message', (event) => {
  // Only when the worker says so: an update must not pull the page away under somebody who is typing.
  if (event.data === 'update') void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || !url.pathname.startsWith(PAGE)) return
  const wanted = event.request.mode === 'navigate' ? PAGE : event.request
  event.respondWith(caches.match(wanted, { ignoreVary: true }).then((kept) => kept ?? fetch(event.request)))
})

export {}
