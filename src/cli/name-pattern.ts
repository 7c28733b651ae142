/**
 * Patterns for names of branches and tags.
 * @module
 */

/**
 * What a pattern matches: `*` any characters, slashes included, `?` any one.
 *
 * @returns undefined for a text without either, which is a name: no name has them.
 */
export function namePattern(text: string | undefined): RegExp | undefined {
  if (text === undefined || !/[*?]/.test(text)) return undefined
  const literal = (part: string): string => part.replace(/[\\^$.+|()[\]{}]/g, '\\$&')
  return new RegExp(`^${literal(text).replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su')
}
