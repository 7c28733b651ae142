/**
 * What git holds, told in weft's words: how a path, a person and a message of git's must read in weft's answers.
 * @module
 */
import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import type { GitCommit } from './git.js'

/** A path (binary string) as answers write it: as text where that is clear, else quoted as git quotes it. */
export function shownPath(path: string): string {
  const bytes = Buffer.from(path, 'latin1')
  if (isUtf8(bytes) && !path.startsWith('"')) return bytes.toString('utf8')
  const named: Record<string, string> = {
    '\x07': 'a',
    '\b': 'b',
    '\t': 't',
    '\n': 'n',
    '\v': 'v',
    '\f': 'f',
    '\r': 'r',
  }
  const quoted = path.replace(/["\\]|[^ -~]/g, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    return `\\${named[char] ?? char.charCodeAt(0).toString(8).padStart(3, '0')}`
  })
  return `"${quoted}"`
}

/** A ref's name (binary string) as answers write it, and as it may be asked for. */
export function shownName(name: string): string {
  const bytes = Buffer.from(name, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : name
}

/** Text of a commit's bytes, or undefined where nobody can say for sure what they mean. */
export function shownText(commit: GitCommit, bytes: string): string | undefined {
  if (commit.encoding === 'ISO-8859-1') return bytes
  const buffer = Buffer.from(bytes, 'latin1')
  const known = commit.encoding === undefined || commit.encoding === 'UTF-8'
  return isAscii(buffer) || (known && isUtf8(buffer)) ? buffer.toString('utf8') : undefined
}

/** A well-formed author or committer line in parts; undefined for the malformed ones that git tolerates. */
export function person(line: string): { name: string; email: string; time: string } | undefined {
  const found = /^([^<>]*?) ?<([^<>]*)> (\d{1,12}) ([+-])(\d\d)(\d\d)$/.exec(line)
  if (found === null) return undefined
  const [, name = '', email = '', seconds, sign, hours, minutes] = found
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  const local = new Date((Number(seconds) + offset * 60) * 1000)
  return { name, email, time: `${local.toISOString().slice(0, -'.000Z'.length)}${sign}${hours}:${minutes}` }
}
