/** Addresses lie behind a #, so that the whole app is one page to the service worker. */
import { createRouter, createWebHashHistory } from 'vue-router'
import SweepPage from './pages/SweepPage.vue'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'sweep', component: SweepPage },
    { path: '/building/:id', name: 'building', component: () => import('./pages/BuildingPage.vue'), props: true },
    { path: '/door/:id', name: 'door', component: () => import('./pages/VisitPage.vue'), props: true },
    { path: '/found/:id', name: 'found', component: () => import('./pages/FoundPage.vue'), props: true },
    { path: '/scan', name: 'scan', component: () => import('./pages/ScanPage.vue') },
    { path: '/tasks', name: 'tasks', component: () => import('./pages/TasksPage.vue') },
    { path: '/task/:id', name: 'task', component: () => import('./pages/TaskPage.vue'), props: true },
    { path: '/sync', name: 'sync', component: () => import('./pages/SyncPage.vue') },
    { path: '/:rest(.*)', redirect: '/' },
  ],
})
