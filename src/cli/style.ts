/**
 * How text looks: colours for a terminal, none elsewhere, and control characters made visible on a terminal.
 *
 * Formatters take a `Style`, so that they stay pure and a test can ask for plain text.
 * @module
 */
import picocolors from 'picocolors'

/** Paints text. Every function gives its input back unchanged where colours are off. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  readonly magenta: (text: string) => string
  /** Whether a terminal reads the text. */
  readonly terminal: boolean
  /** Text that came from a repository: on a terminal its control characters are shown, not obeyed. */
  readonly safe: (text: string) => string
}

/** @param colours - Whether to colour. @param terminal - Whether a terminal reads the text. */
export function makeStyle(colours: boolean, terminal: boolean): Style {
  const { bold, dim, red, green, yellow, cyan, magenta } = picocolors.createColors(colours)
  return { bold, dim, red, green, yellow, cyan, magenta, terminal, safe: terminal ? showControls : (text) => text }
}

/** No colours, nothing replaced: for files, pipes and tests. */
export const PLAIN: Style = makeStyle(false, false)

/**
 * Whether to colour what goes to a stream.
 *
 * `NO_COLOR` (any text) turns colours off; else `FORCE_COLOR` turns them on (`0` and `false`: off); else they are on for
 * a terminal that is not `dumb`.
 * @see https://no-color.org and https://force-color.org
 */
export function wantsColours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = env
  if (NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY === true && TERM !== 'dumb'
}

/** C0 and C1 control characters but tab and newline: the ones a terminal would act on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Writes control characters as carets, `^[` for ESC, and C1 ones as `M-^[`. A carriage return before a newline stays. */
function showControls(text: string): string {
  return text.replace(CONTROLS, (c, at: number) => {
    if (c === '\r' && (at + 1 === text.length || text[at + 1] === '\n')) return c
    const code = c.charCodeAt(0)
    return code >= 0x80 ? `M-^${String.fromCharCode(code - 0x40)}` : `^${String.fromCharCode(code ^ 0x40)}`
  })
}
