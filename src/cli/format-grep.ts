/**
 * Matches in words: lines of one version, or lines of all of history with the versions that put and removed them.
 * @module
 */
import type { GrepMatch } from '../repo/results.js'
import { shortId } from './format.js'
import type { Style } from './style.js'

/**
 * `path:n:text`; in a history search `path  +version -version  text`, where `+` put the line and `-` removed it.
 * A line that was never removed has no `-`; one removed on two branches has two.
 */
export function formatMatch(match: GrepMatch, style: Style): string {
  const path = style.magenta(style.safe(match.path))
  const text = style.safe(match.text)
  if (match.n !== undefined)
    return `${path}${style.cyan(':')}${style.green(String(match.n))}${style.cyan(':')}${text}\n`
  const removed = (match.removed ?? []).map(({ version }) => ` ${style.red(`-${shortId(version)}`)}`).join('')
  return `${path}  ${style.green(`+${shortId(match.put.version)}`)}${removed}  ${text}\n`
}
