/**
 * The outcome of a clone in words.
 * @module
 */
import type { CloneReport } from './clone-into.js'
import { count, duration, shortId, size } from './format.js'
import { signerLines } from './format-sync.js'
import type { Style } from './style.js'

/** @param dir - The directory, as the user named it. */
export function formatClone(report: CloneReport, dir: string, style: Style): string {
  const { safe, bold, yellow } = style
  const { versions, entries, signatures, bytesReceived, verified, branch, version, files, otherHeads } = report
  const lines = [
    `Cloned ${count(versions, 'version')} into ${bold(safe(dir))} (${size(bytesReceived)}).`,
    `Verified ${count(signatures, 'signature')}, ${count(entries, 'entry', 'entries')} and every file in ${duration(verified)}.`,
  ]
  const others = report.signers.filter(({ own }) => !own)
  lines.push(...signerLines(others, style))
  if (version === undefined) lines.push(`The current branch is ${safe(branch ?? '')}.`)
  else
    lines.push(
      `On branch ${bold(safe(branch ?? ''))}, at version ${yellow(shortId(version))}: ${count(files, 'file')}.`,
    )
  if (otherHeads.length > 0) {
    const heads = otherHeads.map((id) => yellow(shortId(id))).join(', ')
    lines.push(`The branch has another head, ${heads}: \`weft merge\` joins them.`)
  }
  return `${lines.join('\n')}\n`
}
