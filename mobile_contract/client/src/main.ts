import { createApp } from 'vue'
import App from './App.vue'
import { depositKey } from './app/keys'
import { afterSync, start } from './app/phone'
import { sendPhotos } from './app/uploads'
import { watchForUpdates } from './app/updates'
import { language, setLanguage } from './locales'
import { router } from './router'
import 'vant/es/style/base.css'
import './style.css'

setLanguage(language.value)
createApp(App).use(router).mount('#app')
afterSync.push(depositKey, sendPhotos)
void start()
watchForUpdates()
