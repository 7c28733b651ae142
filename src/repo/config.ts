/**
 * Settings: of one repository in `<root>/.weft/config`, of the user in `<home>/config`; the repository's count first.
 *
 *     [user]
 *     name = Ana Ruiz
 *     email = ana@example.org
 *
 * Every setting there is stands in `SETTINGS`, with what it may be. A key in a file that weft does not know is no error
 * (a newer weft may know it), but `list` says so; a value that makes no sense is one, when it is asked for.
 * Keys are found whatever their case, as in git.
 * @module
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { decodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { parseConfigText, type RawValue, withSetting } from './config-text.js'
import { diskError } from './disk-error.js'
import { WEFT_DIRECTORY } from './layout.js'
import type { ConfigEntry } from './results.js'

/** What a setting is for, how its text becomes a value, and what it is where nobody set it. */
interface Setting<T> {
  readonly summary: string
  /** What the value must be, to end the sentence "It must be ...". */
  readonly wish: string
  /** The value of a text; undefined where it makes no sense. */
  readonly parse: (text: string) => T | undefined
  readonly standard: T
  /** The standard as one would write it. */
  readonly standardText?: string
}

/** A name or address, as a line of a version can hold it: git writes `name <email>`. */
const personal = (what: string): Setting<string | undefined> => ({
  summary: `Your ${what}, which your versions carry`,
  wish: 'a text of one line without < and >',
  parse: parsePersonal,
  standard: undefined,
})

const text = (summary: string): Setting<string | undefined> => ({
  summary,
  wish: 'a text of one line',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  parse: (value) => (/[\x00-\x08\n-\x1f]/.test(value) || value.trim() === '' ? undefined : value),
  standard: undefined,
})

/** What the setting `sync.signers` may be: whose versions are taken in from elsewhere. */
const SIGNER_RULES = ['any', 'trusted'] as const

export type SignerRule = (typeof SIGNER_RULES)[number]

/** All settings by key. */
export const SETTINGS = {
  'core.editor': text('Program in which messages are written'),
  'core.largeFile': {
    summary: 'Size from which on a new file is warned of',
    wish: 'a number of bytes, such as 5000000, 512k, 10M or 1G (k, M and G are powers of 1024)',
    parse: parseSize,
    standard: 10 * 1024 * 1024,
    standardText: '10M',
  } as Setting<number>,
  'core.pager': text('Program that shows long answers'),
  'sync.signers': {
    summary: 'Keys whose versions are taken in: any, or trusted (weft key trust)',
    wish: SIGNER_RULES.join(' or '),
    parse: (value) => SIGNER_RULES.find((rule) => rule === value.trim()),
    standard: 'any',
    standardText: 'any',
  } as Setting<SignerRule>,
  'user.email': personal('email address'),
  'user.name': personal('name'),
} as const

/** Name of a setting. */
export type ConfigKey = keyof typeof SETTINGS

/** Type of a setting's value. */
export type ConfigValue<K extends ConfigKey> = (typeof SETTINGS)[K]['standard']

/** Keys of all settings, sorted. */
export const CONFIG_KEYS = Object.keys(SETTINGS) as ConfigKey[]

/** @returns The text without white space around it; undefined where it is no name or address. */
export function parsePersonal(value: string): string | undefined {
  const bare = value.trim()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return bare === '' || /[<>\x00-\x1f\x7f]/.test(bare) ? undefined : bare
}

/** @returns Bytes; undefined where the text is no size. */
function parseSize(value: string): number | undefined {
  const [, digits = '', unit = ''] = /^\s*(\d+)\s*([kmg]?)(?:ib)?\s*$/i.exec(value) ?? []
  const bytes = Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase())
  return digits !== '' && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The key as weft writes it; undefined where there is no such setting. */
export function configKey(key: string): ConfigKey | undefined {
  const lower = key.toLowerCase()
  return CONFIG_KEYS.find((known) => known.toLowerCase() === lower)
}

/** The user's settings file. @param home - The user's config directory. */
export function userConfigPath(home: string): string {
  return join(home, 'config')
}

/** A repository's settings file. */
export function repositoryConfigPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'config')
}

/** One settings file, read. */
interface Source {
  readonly origin: 'repository' | 'user'
  readonly file: string
  /** By key as weft writes it, or as the file has it where weft does not know it. */
  readonly values: ReadonlyMap<string, RawValue>
}

/** Settings as they were when they were read. */
export class Config {
  /** The one that counts first, first. */
  readonly #sources: readonly Source[]

  constructor(sources: readonly Source[]) {
    this.#sources = sources
  }

  /**
   * A setting's value, or its standard.
   *
   * @throws {CodedError} `CONFIG_BAD` where the value that counts makes no sense.
   */
  get<K extends ConfigKey>(key: K): ConfigValue<K> {
    const source = this.#sources.find(({ values }) => values.has(key))
    if (source === undefined) return SETTINGS[key].standard as ConfigValue<K>
    return parseSetting(key, source.values.get(key) as RawValue, ` in ${source.file}`)
  }

  /** One setting: its value as written, and where that is from. */
  entry(key: ConfigKey): ConfigEntry {
    const source = this.#sources.find(({ values }) => values.has(key))
    if (source !== undefined) return entryOf(source, key)
    const { standardText } = SETTINGS[key] as Setting<unknown>
    return standardText === undefined ? { key, origin: 'none' } : { key, value: standardText, origin: 'standard' }
  }

  /** Every setting there is, then what stands in the files and weft does not know. */
  list(): ConfigEntry[] {
    const unknown = this.#sources.flatMap((source) =>
      [...source.values.keys()].filter((key) => configKey(key) === undefined).map((key) => entryOf(source, key)),
    )
    return [...CONFIG_KEYS.map((key) => this.entry(key)), ...unknown]
  }
}

function entryOf({ values, origin, file }: Source, key: string): ConfigEntry {
  const raw = values.get(key) as RawValue
  const known = configKey(key)
  const bad = known !== undefined && (typeof raw !== 'string' || SETTINGS[known].parse(raw) === undefined)
  const problem = known === undefined ? 'unknown' : bad ? 'bad' : undefined
  return { key, value: typeof raw === 'string' ? raw : raw.join(', '), origin, file, ...(problem && { problem }) }
}

/**
 * The value of a setting's text.
 *
 * @param where - Behind the key in the message: ` in <file>`.
 * @throws {CodedError} `CONFIG_BAD`.
 */
function parseSetting<K extends ConfigKey>(key: K, raw: RawValue, where = ''): ConfigValue<K> {
  const { parse, wish } = SETTINGS[key] as Setting<ConfigValue<K>>
  const value = typeof raw === 'string' ? parse(raw) : undefined
  if (value !== undefined) return value
  throw new CodedError('CONFIG_BAD', `The setting ${key}${where} makes no sense: ${JSON.stringify(raw)}.`, {
    hint: `It must be ${wish}.`,
    data: { key },
  })
}

/**
 * Reads the settings; a file that is not there says nothing.
 *
 * @param root - Directory of the repository; undefined outside of one.
 * @param home - The user's config directory; undefined where nobody said which.
 * @throws {CodedError} `CONFIG_BAD` for a file that is no ini file.
 */
export function readConfig(root: string | undefined, home: string | undefined): Config {
  const sources = home === undefined ? [] : [readSource('user', userConfigPath(home))]
  if (root !== undefined) sources.unshift(readSource('repository', repositoryConfigPath(root)))
  return new Config(sources)
}

function readSource(origin: Source['origin'], file: string): Source {
  const values = new Map<string, RawValue>()
  for (const [key, value] of valuesIn(readText(file), file)) values.set(configKey(key) ?? key, value)
  return { origin, file, values }
}

function valuesIn(content: string, file: string): Map<string, RawValue> {
  const values = parseConfigText(content)
  if (values !== undefined) return values
  throw new CodedError('CONFIG_BAD', `The settings file ${file} cannot be read as ini.`, {
    hint: 'Look for keys in quotes, and for a section below a key that has a value.',
    data: { file },
  })
}

function readText(file: string): string {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
  const content = decodeUtf8(bytes)
  if (content !== undefined) return content
  throw new CodedError('CONFIG_BAD', `The settings file ${file} is not UTF-8 text.`, {
    hint: 'Write it anew in UTF-8.',
    data: { file },
  })
}

/**
 * Puts one setting into a file, or takes it out, and leaves all else in it as it is. The file is replaced whole or not at
 * all, and made where there is none.
 *
 * @param value - undefined takes the setting out.
 * @returns Whether anything changed.
 * @throws {CodedError} `CONFIG_BAD` where the value makes no sense, `DISK_*`.
 */
export function setConfig(file: string, key: string, value: string | undefined): boolean {
  const known = configKey(key)
  if (known === undefined && value !== undefined) throw new TypeError(`key: expected a setting, got ${key}`)
  if (known !== undefined && value !== undefined) parseSetting(known, value)
  const before = readText(file)
  valuesIn(before, file) // so that a change never hides in a file that cannot be read
  const name = known ?? key
  const after = withSetting(before, name, value)
  const found = [...valuesIn(after, file)].filter(([own]) => own.toLowerCase() === name.toLowerCase())
  if (value === undefined ? found.length > 0 : found.length !== 1 || found[0]?.[1] !== value) {
    throw new CodedError('CONFIG_BAD', `The settings file ${file} is written in a way that weft cannot change.`, {
      hint: `Change ${name} in it with an editor.`,
      data: { file, key: name },
    })
  }
  if (after !== before) writeWhole(file, after)
  return after !== before
}

/** Replaces a file; where it is a link, the file it leads to. */
function writeWhole(file: string, content: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const target = linkEnd(file)
    const temporary = `${target}.${process.pid}.new`
    const handle = openSync(temporary, 'w')
    try {
      writeFileSync(handle, content)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(temporary, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'mkdir') throw diskError(error, file)
    throw new CodedError('DIR_NOT_FOUND', `There is no directory for ${file}, and none can be made.`, {
      hint: 'Check its path, and who may write there.',
      cause: error,
    })
  }
}

function linkEnd(file: string): string {
  try {
    return realpathSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return file
    throw error
  }
}
