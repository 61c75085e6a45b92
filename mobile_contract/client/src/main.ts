import { createApp } from 'vue'
import App from './App.vue'
import { start } from './app/phone'
import { watchForUpdates } from './app/updates'
import { language, setLanguage } from './locales'
import { router } from './router'
import 'vant/es/style/base.css'
import './style.css'

setLanguage(language.value)
createApp(App).use(router).mount('#app')
void start()
watchForUpdates()
