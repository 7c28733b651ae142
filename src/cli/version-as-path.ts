/**
 * What to say where a version was given in the place of a path, as git takes it: `weft diff main`, `weft log A..B`.
 * @module
 */
import { CodedError } from '../base/error.js'
import type { Repository } from '../repo/repository.js'

/**
 * An error that a path is not there, with a better hint where what was typed names a version; any other error as it is.
 *
 * @param typed - Paths as they were typed.
 * @param command - What takes a version as `--at`: `weft diff`.
 */
export async function mindVersions(
  error: unknown,
  repo: Repository,
  typed: readonly string[],
  command: 'weft diff' | 'weft log',
): Promise<unknown> {
  if (!(error instanceof CodedError) || error.code !== 'PATH_UNKNOWN') return error
  for (const text of typed) {
    const hint = await hintFor(repo, text, command)
    if (hint !== undefined) {
      const { message, data } = error
      return new CodedError(error.code, message, { hint, cause: error, ...(data && { data }) })
    }
  }
  return error
}

async function hintFor(repo: Repository, text: string, command: string): Promise<string | undefined> {
  if (command === 'weft log' && /^-\d+$/.test(text)) return `Did you mean weft log -n ${text.slice(1)}?`
  const ends = text.split(/\.{2,3}/)
  for (const end of ends) if (end !== '' && !(await isVersion(repo, end))) return undefined
  if (ends.length === 1) return `${text} is a version: ${command} --at ${text}`
  // The log of a version is all its past.
  return command === 'weft log'
    ? `weft log --at ${ends.at(-1) || 'HEAD'} lists versions up to that one; weft branch --against <version> counts what is ahead.`
    : `These are versions: weft diff --at ${ends.join('..')}`
}

async function isVersion(repo: Repository, text: string): Promise<boolean> {
  try {
    await repo.resolve(text)
    return true
  } catch (error) {
    if (error instanceof CodedError) return error.code === 'V_AMBIGUOUS'
    throw error
  }
}
