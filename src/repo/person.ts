/**
 * Who writes: the name and address that go into a version.
 * @module
 */
import { CodedError } from '../base/error.js'
import { type Config, parsePersonal } from './config.js'
import { readGitUser } from './git-settings.js'

/** A person, without a time. */
export interface Author {
  readonly name: string
  readonly email: string
}

/** What to run where a part is not known. */
const COMMANDS = {
  name: 'weft config --global user.name "Your Name"',
  email: 'weft config --global user.email you@example.org',
}

/**
 * The person who writes, each part from the first of these that has it: `WEFT_AUTHOR_NAME` and `WEFT_AUTHOR_EMAIL`, the
 * settings `user.name` and `user.email`, git's own settings (git-settings.ts).
 *
 * @param env - Environment variables.
 * @throws {CodedError} `USER_UNKNOWN` where a part is nowhere, `CONFIG_BAD` where it makes no sense.
 */
export function authorOf(config: Config, env: Readonly<Record<string, string | undefined>>): Author {
  const own = {
    name: partOf('WEFT_AUTHOR_NAME', env) ?? config.get('user.name'),
    email: partOf('WEFT_AUTHOR_EMAIL', env) ?? config.get('user.email'),
  }
  if (own.name !== undefined && own.email !== undefined) return { name: own.name, email: own.email }
  const git = readGitUser(env)
  const name = own.name ?? parsePersonal(git.name ?? '')
  const email = own.email ?? parsePersonal(git.email ?? '')
  if (name !== undefined && email !== undefined) return { name, email }
  const missing = (['name', 'email'] as const).filter((part) => (part === 'name' ? name : email) === undefined)
  throw new CodedError('USER_UNKNOWN', `weft does not know your ${missing.join(' and your ')} yet.`, {
    hint: `Run ${missing.map((part) => `\`${COMMANDS[part]}\``).join(' and ')}.`,
    data: { missing },
  })
}

function partOf(variable: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const text = env[variable]
  if (text === undefined || text === '') return undefined
  const part = parsePersonal(text)
  if (part !== undefined) return part
  throw new CodedError('CONFIG_BAD', `${variable} makes no sense: ${JSON.stringify(text)}.`, {
    hint: 'It must be a text of one line without < and >.',
    data: { key: variable },
  })
}
