/**
 * The key-value level in words: `weft store stat`, `scan` and `get`.
 * @module
 */
import type { StoreEntry, StoreStat } from '../repo/results.js'
import { columns, count, grouped, size } from './format.js'
import type { Style } from './style.js'

/** What a store holds, by kind of entry. */
export function formatStat({ format, bytes, entries, loose, pages, kinds }: StoreStat, { bold }: Style): string {
  const rows = kinds.map((k) => [k.kind, grouped(k.entries), size(k.bytes), k.meaning])
  const [head = '', ...lines] = columns([['kind', 'entries', 'size', 'meaning'], ...rows], [1, 2]).split('\n')
  return [
    `Format ${format}, ${size(bytes)} on disk: ${count(entries, 'entry', 'entries')} in ${count(pages, 'page')}`,
    ` and ${grouped(loose)} loose.\n\n`,
    [bold(head), ...lines].join('\n'),
  ].join('')
}

/** One line per entry: key, then the value in words. */
export function formatEntryLine({ key, value }: StoreEntry, { cyan, safe }: Style): string {
  return `${cyan(safe(key))}  ${safe(value.trimEnd().replace(/\s*\n/g, ' / '))}\n`
}

/** One entry in full. */
export function formatEntry({ key, lseq, kind, value, bytes }: StoreEntry, { safe }: Style): string {
  const head = columns([
    ['key', safe(key)],
    ['lseq', lseq],
    ['kind', kind],
    ['size', count(bytes, 'byte')],
  ])
  return `${head}\n${safe(value)}${value.endsWith('\n') ? '' : '\n'}`
}
