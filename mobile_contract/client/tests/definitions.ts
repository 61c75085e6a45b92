/** The shipped definitions as the feed would send them. */
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import type { Form, RuleSet } from '../src/forms/definition'

function yaml(folder: string, code: string, version: number): unknown {
  return load(readFileSync(new URL(`../../${folder}/${code}.v${version}.yaml`, import.meta.url), 'utf8'))
}

export function formOf(code: string, version: number): Form {
  return yaml('forms', code, version) as Form
}

export function rulesOf(code: string, version: number): RuleSet {
  return yaml('rules', code, version) as RuleSet
}
