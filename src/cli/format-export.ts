/**
 * The outcome of an export in words.
 * @module
 */
import type { ExportReport } from '../repo/results.js'
import { count, duration, size } from './format.js'
import type { Style } from './style.js'

/** @param dir - The git repository, as the user named it. */
export function formatExport(report: ExportReport, dir: string, style: Style): string {
  const { commits, objects, refs, bytes, seconds, refused } = report
  const said = refused.map(
    ({ message, hint }) => `${style.yellow('Not set:')} ${style.safe(message)}\n         ${style.safe(hint)}\n`,
  )
  const took = duration(seconds)
  const done =
    commits + objects + refs === 0
      ? `Nothing new for ${style.safe(dir)} (${took}).\n`
      : `Exported ${count(commits, 'new commit')} with ${count(objects, 'object')} (${size(bytes)}) in ${took}; ` +
        `${count(refs, 'branch or tag', 'branches and tags')} set in ${style.safe(dir)}.\n`
  return done + said.join('')
}
