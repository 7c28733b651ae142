/**
 * The name and address that a person gave to git, read from git's own settings files.
 *
 * Only what is needed: the section `[user]`, its keys `name` and `email`. Files that are included are not followed, and
 * what cannot be understood is passed over: these files are git's, and no reason to fail.
 * @module
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What git knows of a person. */
export interface GitUser {
  readonly name?: string
  readonly email?: string
}

/** Environment variables. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * The user of git's files: `$XDG_CONFIG_HOME/git/config`, over which `~/.gitconfig` counts.
 *
 * @see git-config(1), FILES.
 */
export function readGitUser(env: Environment): GitUser {
  const home = env['HOME'] || env['USERPROFILE'] || homedir()
  const files = [join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git', 'config'), join(home, '.gitconfig')]
  return Object.assign({}, ...files.map((file) => parseGitUser(readOrNothing(file))))
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // not there, not for us, a directory: git's files are only a help
  }
}

/** `[user]`, `[USER] name = x`; a section with a subsection, `[user "x"]`, is another. */
const SECTION = /^\s*\[\s*([-.\w]+)\s*("(?:[^"\\]|\\.)*")?\s*\]/

/** The user that a settings file of git names. */
export function parseGitUser(content: string): GitUser {
  const user: Record<string, string> = {}
  let inside = false
  // A backslash at the end of a line goes on with the next one.
  for (const line of content
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n/g, '')
    .split(/\r?\n/)) {
    const section = SECTION.exec(line)
    if (section !== null) inside = section[1]?.toLowerCase() === 'user' && section[2] === undefined
    if (!inside) continue
    const setting = /^\s*(name|email)\s*=(.*)$/i.exec(section === null ? line : line.slice(section[0].length))
    const [, key = '', raw = ''] = setting ?? []
    if (key !== '') user[key.toLowerCase()] = parseValue(raw)
  }
  return user
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' }

/** A value as git reads it: quotes taken off anywhere, escapes, comments, white space around it. */
function parseValue(raw: string): string {
  let value = ''
  let kept = 0 // length up to which white space at the end belongs to the value
  let quoted = false
  for (let i = 0; i < raw.length; i++) {
    const char = raw[i] as string
    if (char === '"') {
      quoted = !quoted
      kept = value.length
    } else if (char === '\\') {
      const next = raw[++i] ?? ''
      value += ESCAPES[next] ?? next
      kept = value.length
    } else if (!quoted && (char === '#' || char === ';')) {
      break
    } else if (quoted || !/\s/.test(char)) {
      value += char
      kept = value.length
    } else if (value !== '') {
      value += char
    }
  }
  return value.slice(0, kept)
}
