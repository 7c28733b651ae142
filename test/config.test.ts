/**
 * Settings: what files say, how they are changed without losing a byte of the rest, and whose name a version gets.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ConfigKey, readConfig, setConfig, userConfigPath } from '../src/repo/config.js'
import { parseConfigText, withSetting } from '../src/repo/config-text.js'
import { parseGitUser } from '../src/repo/git-settings.js'
import { authorOf } from '../src/repo/person.js'
import type { ConfigChange, ConfigEntry } from '../src/repo/results.js'
import { holds } from './support/property.js'
import { temporary } from './support/temp.js'
import { weft, weftFails, weftJson } from './support/weft.js'

/** A home whose settings file says `text`, and a repository's directory whose file says `own`. */
function places(text?: string, own?: string): { home: string; root: string } {
  const home = temporary('home')
  const root = temporary('root')
  mkdirSync(join(root, '.weft', 'store'), { recursive: true })
  if (text !== undefined) writeFileSync(join(home, 'config'), text)
  if (own !== undefined) writeFileSync(join(root, '.weft', 'config'), own)
  return { home, root }
}

describe('settings', () => {
  it('have standards where there are no files', () => {
    const { home, root } = places()
    const config = readConfig(root, home)
    assert.equal(config.get('core.largeFile'), 10 * 1024 * 1024)
    assert.equal(config.get('user.name'), undefined)
    assert.deepEqual(config.entry('user.name'), { key: 'user.name', origin: 'none' })
  })

  it('of the repository count before those of the user, each by itself', () => {
    const { home, root } = places('[user]\nname = Ana\nemail = a@x\n', '[user]\nname = Bea\n')
    const config = readConfig(root, home)
    assert.deepEqual([config.get('user.name'), config.get('user.email')], ['Bea', 'a@x'])
    assert.equal(config.entry('user.name').origin, 'repository')
    assert.equal(config.entry('user.email').file, userConfigPath(home))
    assert.equal(readConfig(undefined, home).get('user.name'), 'Ana')
  })

  const sizes: [text: string, bytes: number | undefined][] = [
    ['0', 0],
    ['5000000', 5_000_000],
    ['512k', 512 * 1024],
    ['10 MiB', 10 * 1024 * 1024],
    ['1G', 1024 ** 3],
    ['10 MB', undefined],
    ['-1', undefined],
    ['1.5M', undefined],
    ['', undefined],
    ['99999999999999999999', undefined],
  ]
  for (const [text, bytes] of sizes) {
    it(`take ${JSON.stringify(text)} as ${bytes === undefined ? 'no size' : `${bytes} bytes`}`, () => {
      const { home } = places(`[core]\nlargeFile = ${text}\n`)
      const config = readConfig(undefined, home)
      if (bytes !== undefined) return assert.equal(config.get('core.largeFile'), bytes)
      assert.throws(() => config.get('core.largeFile'), { code: 'CONFIG_BAD' })
      return assert.equal(config.entry('core.largeFile').problem, 'bad')
    })
  }

  it('with a bad value stop only those who ask for them', () => {
    const { home } = places('[core]\nlargeFile = many\n[user]\nname = Ana\n')
    assert.equal(readConfig(undefined, home).get('user.name'), 'Ana')
  })

  it('that weft does not know are listed as such and stop nobody', () => {
    const { home } = places('[core]\ncolour = red\n[user]\nname = Ana\n')
    const config = readConfig(undefined, home)
    assert.deepEqual(
      config.list().filter(({ problem }) => problem !== undefined),
      [{ key: 'core.colour', value: 'red', origin: 'user', file: userConfigPath(home), problem: 'unknown' }],
    )
  })

  it('cannot be had from a file that is no UTF-8', () => {
    const { home } = places()
    writeFileSync(join(home, 'config'), Buffer.from('[user]\nname = caf\xe9\n', 'latin1'))
    assert.throws(() => readConfig(undefined, home), { code: 'CONFIG_BAD' })
  })
})

describe('the text of settings', () => {
  const read: [name: string, text: string, settings: Record<string, unknown> | undefined][] = [
    ['nested by dots', '[a.b]\nc = 1\n', { 'a.b.c': '1' }],
    ['with the whole key before all sections', 'user.name = x\n', { 'user.name': 'x' }],
    ['with a byte order mark', '\uFEFF[user]\nname = x\n', { 'user.name': 'x' }],
    ['with CRLF', '[user]\r\nname = x\r\n', { 'user.name': 'x' }],
    ['that say true, false and null', '[a]\nb = true\nc = null\nd\n', { 'a.b': 'true', 'a.c': 'null', 'a.d': 'true' }],
    ['that are lists', '[a]\nb[] = 1\nb[] = 2\n', { 'a.b': ['1', '2'] }],
    ['with comments', '; x\n# y\n[a]\nb = 1 ; z\nc = 2 # z\n', { 'a.b': '1', 'a.c': '2' }],
    ['in quotes', '[a]\nb = "x ; \\" = y"\n', { 'a.b': 'x ; " = y' }],
    ['in quotes that are JSON', `[a]\nb = '{"c":1}'\n`, { 'a.b': '{"c":1}' }],
    ['twice', '[a]\nb = 1\n[a]\nb = 2\n', { 'a.b': '2' }],
    ['with a comment behind a section, which is then none', '[a]\n[b] ; x\nc = 1\n', { 'a.[b]': 'true', 'a.c': '1' }],
    ['with a key that is JSON', `'{"length":3}' = 1\n`, undefined],
    ['below a key with a value', 'a = null\n[a.b]\nc = 1\n', undefined],
  ]
  for (const [name, text, settings] of read) {
    it(`may be ${name}`, () => {
      const found = parseConfigText(text)
      assert.deepEqual(found && Object.fromEntries(found), settings)
    })
  }

  it('changes no prototype', () => {
    for (const section of ['__proto__', 'a.__proto__', 'constructor.prototype', '"__proto__"']) {
      for (const key of ['polluted', '__proto__', '__proto__[]', `'["__proto__"]'`]) {
        parseConfigText(`__proto__ = 1\n[${section}]\n${key} = yes\n`)
        assert.equal(Reflect.get({}, 'polluted'), undefined, `${section} ${key}`)
        assert.equal(Reflect.get(Object.prototype, 'yes'), undefined)
      }
    }
    assert.equal(parseConfigText('[toString]\nvalueOf = x\n')?.get('toString.valueOf'), 'x')
  })

  const changed: [name: string, before: string, value: string | undefined, after: string][] = [
    ['into nothing', '', 'x', '[user]\nname = x\n'],
    ['behind the last of its section', '[user]\nemail = e\n\n[core]\n', 'x', '[user]\nemail = e\nname = x\n\n[core]\n'],
    ['into an empty section', '[user]\n', 'x', '[user]\nname = x\n'],
    ['behind a line without an end', '[user]\nemail = e', 'x', '[user]\nemail = e\nname = x\n'],
    ['behind other sections', '# mine\n[core]\npager = less', 'x', '# mine\n[core]\npager = less\n[user]\nname = x\n'],
    ['over what was there', '[user]\n  Name=y ; why\n# z\nemail = e\n', 'x', '[user]\nname = x\n# z\nemail = e\n'],
    [
      'over the last of several',
      '[user]\nname = 1\n[core]\n[User]\nname = 2\n',
      'x',
      '[user]\n[core]\n[User]\nname = x\n',
    ],
    ['over a list', '[user]\nname[] = 1\nname[] = 2\n', 'x', '[user]\nname = x\n'],
    ['over a whole key', 'user.name = y\n[core]\n', 'x', 'user.name = x\n[core]\n'],
    ['with CRLF where the file has it', '[user]\r\nemail = e\r\n', 'x', '[user]\r\nemail = e\r\nname = x\r\n'],
    ['away', '# a\n[user]\nname = y\nemail = e\nname = z\n', undefined, '# a\n[user]\nemail = e\n'],
    ['away where it is not', '[user]\nemail = e', undefined, '[user]\nemail = e'],
  ]
  for (const [name, before, value, after] of changed) {
    it(`is changed by putting a setting ${name}`, () => assert.equal(withSetting(before, 'user.name', value), after))
  }

  it('gives back any value, and all other settings as they were', () => {
    const line = fc.constantFrom(
      '[user]',
      '[core]',
      '[USER]',
      '[a.b]',
      '[__proto__]',
      'name = y',
      'Name=1',
      'name[] = z',
      'email = e # c',
      '# c',
      '',
      'toString = x',
      'junk',
    )
    const value = fc.string({ unit: 'binary', minLength: 1 })
    holds(
      fc.property(fc.array(line), value, fc.boolean(), (lines, put, ended) => {
        const before = lines.join('\n') + (ended ? '\n' : '')
        const after = withSetting(before, 'user.name', put)
        const others = (text: string): [string, unknown][] =>
          [...(parseConfigText(text) ?? [])].filter(([key]) => key.toLowerCase() !== 'user.name').sort()
        const found = [...(parseConfigText(after) ?? [])].filter(([key]) => key.toLowerCase() === 'user.name')
        assert.deepEqual(
          found.map(([, own]) => own),
          [put],
          after,
        )
        assert.deepEqual(others(after), others(before))
        assert.deepEqual(others(withSetting(after, 'user.name', undefined)), others(before))
        assert.deepEqual(withSetting(after, 'user.name', put), after)
      }),
    )
  })
})

describe('changing a settings file', () => {
  it('makes it and its folder, and says whether anything changed', () => {
    const file = join(temporary(), 'a', 'b', 'config')
    assert.equal(setConfig(file, 'user.name', 'Ana'), true)
    assert.equal(setConfig(file, 'USER.NAME', 'Ana'), false)
    assert.equal(readFileSync(file, 'utf8'), '[user]\nname = Ana\n')
    assert.equal(setConfig(file, 'user.name', undefined), true)
    assert.equal(setConfig(file, 'user.name', undefined), false)
  })

  it('follows a link and leaves it a link', () => {
    const dir = temporary()
    writeFileSync(join(dir, 'real'), '')
    symlinkSync('real', join(dir, 'config'))
    setConfig(join(dir, 'config'), 'user.name', 'Ana')
    assert.equal(readFileSync(join(dir, 'real'), 'utf8'), '[user]\nname = Ana\n')
  })

  const bad: [key: ConfigKey, value: string][] = [
    ['user.name', ' '],
    ['user.name', 'A <b>'],
    ['user.email', 'a\nb'],
    ['core.largeFile', 'big'],
    ['core.editor', ''],
  ]
  for (const [key, value] of bad) {
    it(`refuses ${JSON.stringify(value)} for ${key} and leaves the file`, () => {
      const file = join(temporary(), 'config')
      assert.throws(() => setConfig(file, key, value), { code: 'CONFIG_BAD' })
      assert.equal(existsSync(file), false)
    })
  }

  it('refuses a file whose change would not be read as such', () => {
    const file = join(temporary(), 'config')
    // For `ini` a line ends at a lone CR too.
    const text = '[user]\nname = y\n# c\rname = z\n'
    writeFileSync(file, text)
    assert.throws(() => setConfig(file, 'user.name', 'Ana'), { code: 'CONFIG_BAD' })
    assert.equal(readFileSync(file, 'utf8'), text)
  })

  it('says what the disk refuses', () => {
    const dir = temporary()
    writeFileSync(join(dir, 'file'), '')
    assert.throws(() => setConfig(join(dir, 'file', 'config'), 'user.name', 'Ana'), { code: 'DIR_NOT_FOUND' })
  })
})

describe('the author', () => {
  /** An environment with a home in which git's files say these texts. */
  function environment(gitconfig?: string, xdg?: string): Record<string, string> {
    const HOME = temporary('user')
    if (gitconfig !== undefined) writeFileSync(join(HOME, '.gitconfig'), gitconfig)
    if (xdg !== undefined) {
      mkdirSync(join(HOME, '.config', 'git'), { recursive: true })
      writeFileSync(join(HOME, '.config', 'git', 'config'), xdg)
    }
    return { HOME }
  }
  const ours = (text: string) => readConfig(undefined, places(text).home)

  it('is taken part by part: environment, settings, ~/.gitconfig, git/config', () => {
    const env = environment('[user]\nname = three\nemail = 3@x\n', '[user]\nname = four\nemail = 4@x\n')
    const set = ours('[user]\nname = two\n')
    assert.deepEqual(authorOf(set, { ...env, WEFT_AUTHOR_NAME: 'one' }), { name: 'one', email: '3@x' })
    assert.deepEqual(authorOf(set, env), { name: 'two', email: '3@x' })
    assert.deepEqual(authorOf(ours(''), env), { name: 'three', email: '3@x' })
    assert.deepEqual(authorOf(ours(''), environment('[user]\nname = 3\n', '[user]\nemail = 4@x\n')), {
      name: '3',
      email: '4@x',
    })
    const elsewhere = { ...environment('[user]\nname = n\n'), XDG_CONFIG_HOME: join(env['HOME'] ?? '', '.config') }
    assert.deepEqual(authorOf(ours(''), elsewhere), { name: 'n', email: '4@x' })
  })

  it('is unknown where a part is nowhere, and the error says what to run', () => {
    assert.throws(() => authorOf(ours(''), environment()), {
      code: 'USER_UNKNOWN',
      message: /name and your email/,
      hint: /user\.name .* and .*user\.email/,
    })
    assert.throws(() => authorOf(ours('[user]\nname = Ana\n'), environment('[user]\nemail =\n')), {
      code: 'USER_UNKNOWN',
      hint: 'Run `weft config --global user.email you@example.org`.',
    })
  })

  it('that makes no sense is refused', () => {
    const env = { ...environment(), WEFT_AUTHOR_NAME: 'A <b', WEFT_AUTHOR_EMAIL: 'a@x' }
    assert.throws(() => authorOf(ours(''), env), { code: 'CONFIG_BAD', message: /WEFT_AUTHOR_NAME/ })
    assert.throws(() => authorOf(ours('[user]\nname = "a>b"\n'), environment()), { code: 'CONFIG_BAD' })
  })

  const texts: [name: string, text: string, user: object][] = [
    ['plain', '[user]\n\tname = Ana Ruiz\n\temail = a@x\n', { name: 'Ana Ruiz', email: 'a@x' }],
    ['on the line of the section, in capitals', '[USER] Name=x', { name: 'x' }],
    ['of a subsection, which is another', '[user "work"]\nname = x\n[user]\nemail = e', { email: 'e' }],
    ['with comments', '[user] # c\nname = A B # c\n; name = z\n', { name: 'A B' }],
    ['in quotes, in part', '[user]\nname = " A # " B  \\"x\\" ; c', { name: ' A #  B  "x"' }],
    ['over two lines', '[user]\nname = A \\\n  B\n', { name: 'A   B' }],
    ['among what is no setting', '\u0000garbage]\n[user\nname = no\n[user]\nname = x\n[[[\n', { name: 'x' }],
    ['twice', '[user]\nname = x\n[core]\nname = no\n[user]\nname = y\n', { name: 'y' }],
  ]
  for (const [name, text, user] of texts) {
    it(`of git may be written ${name}`, () => assert.deepEqual(parseGitUser(text), user))
  }
})

describe('weft config', () => {
  it('sets, shows, lists and takes out', async () => {
    const { home, root } = places()
    const options = { cwd: root, env: { WEFT_HOME: home } }
    const change = await weftJson<ConfigChange>(['config', '--global', 'user.name', 'Ana Ruiz'], options)
    assert.deepEqual(change, { key: 'user.name', value: 'Ana Ruiz', file: join(home, 'config'), changed: true })
    await weftJson(['config', 'User.Name', 'Bea'], options)
    assert.equal(String((await weft(['config', 'user.name'], options)).stdout), 'Bea\n')
    assert.equal(String((await weft(['config', 'user.name', '--global'], options)).stdout), 'Ana Ruiz\n')
    const list = await weftJson<ConfigEntry[]>(['config'], options)
    assert.deepEqual(
      list.find(({ key }) => key === 'user.name'),
      { key: 'user.name', value: 'Bea', origin: 'repository', file: join(root, '.weft', 'config') },
    )
    await weftJson(['config', 'user.name', '--unset'], options)
    assert.equal((await weftJson<ConfigEntry>(['config', 'user.name'], options)).value, 'Ana Ruiz')
  })

  it('takes out what weft does not know', async () => {
    const { home, root } = places('[core]\ncolour = red\n')
    const options = { cwd: root, env: { WEFT_HOME: home } }
    await weftJson(['config', '--global', '--unset', 'core.colour'], options)
    assert.equal(readFileSync(join(home, 'config'), 'utf8'), '[core]\n')
  })

  const failures: [args: string[], status: number, code: string, hint: RegExp][] = [
    [['user.nam'], 1, 'CONFIG_UNKNOWN', /Did you mean user\.name\?/],
    [['email', 'x'], 1, 'CONFIG_UNKNOWN', /Did you mean user\.email\?/],
    [['colour', '--unset'], 1, 'CONFIG_UNKNOWN', /There are: core\.editor/],
    [['user.name'], 1, 'CONFIG_UNSET', /weft config user\.name <value>/],
    [['core.largeFile', 'big'], 1, 'CONFIG_BAD', /bytes/],
    [['--unset'], 2, 'USAGE', /./],
    [['user.name', 'x', '--unset'], 2, 'USAGE', /./],
  ]
  for (const [args, status, code, hint] of failures) {
    it(`fails plainly: ${args.join(' ')}`, async () => {
      const { home, root } = places()
      const failed = await weftFails(['config', ...args], { cwd: root, env: { WEFT_HOME: home } })
      assert.deepEqual([failed.status, failed.code], [status, code])
      assert.match(failed.hint ?? 'none', hint)
    })
  }

  it('outside of a repository knows only --global', async () => {
    const options = { cwd: temporary(), env: { WEFT_HOME: temporary('home') } }
    assert.equal((await weftJson<ConfigEntry[]>(['config'], options)).length, 6)
    assert.equal((await weftFails(['config', 'user.name', 'x'], options)).code, 'REPO_NOT_FOUND')
  })
})
