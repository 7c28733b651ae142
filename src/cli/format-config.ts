/**
 * Settings in words.
 * @module
 */
import type { ConfigChange, ConfigEntry } from '../repo/results.js'
import { columns } from './format.js'
import type { Style } from './style.js'

/** One setting: its value and nothing else, for scripts. */
export function formatValue({ value = '' }: ConfigEntry, { safe }: Style): string {
  return `${safe(value)}\n`
}

/** All settings, with where each is from. */
export function formatConfig(entries: readonly ConfigEntry[], { safe }: Style): string {
  return columns(entries.map((entry) => [safe(entry.key), safe(entry.value ?? '-'), safe(originOf(entry))]))
}

function originOf({ origin, file, problem }: ConfigEntry): string {
  if (origin === 'none') return 'not set'
  if (file === undefined) return 'as long as nobody sets it'
  const note = { unknown: '  (weft does not know this key)', bad: '  (this value makes no sense)' }
  return `${file}${problem === undefined ? '' : note[problem]}`
}

export function formatConfigChange({ key, value, file, changed }: ConfigChange, { safe }: Style): string {
  if (value === undefined) return `${key} ${changed ? 'is no longer set' : 'was not set'} in ${safe(file)}.\n`
  return `${key} is ${changed ? 'now' : 'already'} ${safe(value)} in ${safe(file)}.\n`
}
