/**
 * Messages of versions as files for an editor: what is written by weft there, and what is read back.
 * @module
 */

/** What a line begins with that is no part of the message. A line that begins with `#12` is one. */
const COMMENT = /^#( |\t|$)/

/**
 * The text to open an editor with.
 *
 * @param message - What is there already; empty for nothing.
 * @param notes - Said below it, in lines that will not become part of the message.
 */
export function messageTemplate(message: string, notes: string): string {
  const lines = notes.replace(/\n+$/, '').split('\n')
  const commented = lines.map((line) => (line === '' ? '#\n' : `# ${line}\n`)).join('')
  return `${message.replace(/\n*$/, '')}\n\n${commented}`
}

/**
 * The message in a text that comes from an editor: without comments, without white space at the ends of lines, without
 * empty lines before, behind, or more than one at a time, and with a newline at its end; empty where there is nothing left.
 *
 * @see git-commit(1), `--cleanup=strip`.
 */
export function messageIn(text: string): string {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !COMMENT.test(line))
    .map((line) => line.replace(/[ \t\r\f\v]+$/, ''))
  const message = lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '')
  return message === '' ? '' : `${message}\n`
}
