/** The language of the screen: zh-CN unless the worker chose English. */
import { ref } from 'vue'
import type { Label } from '../forms/definition'
import { en } from './en'
import { zh, type Key } from './zh-CN'

export type Language = 'zh' | 'en'
const KEPT = 'saolou-language'

export const language = ref<Language>(localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh')

export function setLanguage(chosen: Language): void {
  language.value = chosen
  localStorage.setItem(KEPT, chosen)
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en'
}

export function t(key: Key, values: Record<string, unknown> = {}): string {
  const text = (language.value === 'zh' ? zh : en)[key]
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

/** A text of a form or rule. */
export function label(text: Label): string {
  return text[language.value]
}

/** A text whose key comes from data; the value itself when there is no such text (a newer server's). */
export function named(prefix: string, value: string): string {
  const key = `${prefix}.${value}`
  return key in zh ? t(key as Key) : value
}

export function day(ms: number): string {
  const locale = language.value === 'zh' ? 'zh-CN' : 'en-GB'
  return new Date(ms).toLocaleDateString(locale, { month: 'numeric', day: 'numeric', timeZone: 'Asia/Shanghai' })
}

export function moment(ms: number): string {
  const locale = language.value === 'zh' ? 'zh-CN' : 'en-GB'
  const options = { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Shanghai' } as const
  return new Date(ms).toLocaleString(locale, options)
}
