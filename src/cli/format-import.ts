/**
 * The outcome of an import in words, and what usually comes next.
 * @module
 */
import type { ImportReport } from '../repo/results.js'
import { count, duration, size } from './format.js'
import type { Style } from './style.js'

/** @param dir - The directory of the repository, as the user named it. */
export function formatImport(report: ImportReport, dir: string, style: Style): string {
  const { diverged, behind, versions, files, lines, bytes, refs, head, streams, checked, seconds, entries, warnings } =
    report
  const warned = warnings.map((warning) => `${style.yellow('Warning:')} ${style.safe(warning)}\n`).join('')
  const apart = [
    ...diverged.map((name) => {
      const text = style.safe(name)
      return `${style.yellow('Diverged:')} ${text} went on here and there. On that branch, \`weft merge\` joins the two.\n`
    }),
    behind === undefined
      ? ''
      : `The files here are of an older version of ${style.safe(behind)}: \`weft merge\` brings them up to it.\n`,
  ].join('')
  if (versions === 0) {
    const moved = refs === 0 ? '' : ` ${count(refs, 'branch or tag', 'branches and tags')} set.`
    return `${warned}Nothing new: all versions were here already (${duration(seconds)}).${moved}\n${apart}`
  }
  const inDir = dir === '.' ? '' : ` -C ${/[^\w./-]/.test(dir) ? `'${dir}'` : dir}`
  return [
    warned,
    `Imported ${count(versions, 'version')} with ${count(files, 'file version')} (${size(bytes)}) in ${duration(seconds)}:\n`,
    `${count(lines, 'line')} in ${count(entries, 'signed entry', 'signed entries')}, ${count(streams, 'stream')}, `,
    `${count(refs, 'branch or tag', 'branches and tags')}.\n`,
    head === undefined ? '' : `The current branch is ${style.safe(head)}.\n`,
    checked === undefined ? '' : `${count(checked, 'git tree')} recomputed from what is stored: all are git's own.\n`,
    apart,
    `\nWhat usually comes next:\n`,
    apart === '' ? '' : `  weft merge${inDir}             join what was done here and there\n`,
    `  weft log${inDir} -n 5          the newest versions\n`,
    `  weft blame${inDir} <path>      who put each line of a file there\n`,
    `  weft verify${inDir}            check every signature and every byte\n`,
  ].join('')
}
