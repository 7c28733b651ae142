/**
 * Builds `dist/`: the library with its types by tsc, and the command line as a bundle by esbuild.
 *
 *     node bin/build.mjs [--if-stale]
 *
 * The bundle is there for start-up time: loading oclif file by file takes longer than most commands. What comes out:
 *
 *     dist/index.js, index.d.ts, ...     the library, one file per module
 *     dist/cli/main.js                   the command line: what bin/run.js starts
 *     dist/cli/main.js.map               where in the sources its parts are from: for stack traces
 *     dist/cli/lazy/                     packages that are seldom needed
 *     dist/cli/oclif.manifest.json       flags and help of every command, so that listing loads none of them
 *     dist/cli/THIRD-PARTY.txt           licences of all that was bundled
 *     dist/build.json                    what all this was built from, and what the commands begin with
 *
 * Types are not checked here, that is for `npm run check`. The new `dist/` takes the place of the old one only when it is
 * complete, so a build that fails changes nothing.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const DIST = join(ROOT, 'dist')
const RECORD = 'build.json'

/** Every file below a directory, sorted, as absolute paths. */
function filesBelow(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** SHA-256 over the names and contents of all that a build depends on. */
function sourceDigest() {
  const hash = createHash('sha256')
  const files = [
    ...filesBelow(join(ROOT, 'src')),
    ...['bin/build.mjs', 'package.json', 'package-lock.json'].map((f) => join(ROOT, f)),
  ]
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${relative(ROOT, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** Whether `dist/` was built from the sources of this digest. */
function isFresh(digest) {
  const record = join(DIST, RECORD)
  return existsSync(record) && JSON.parse(readFileSync(record, 'utf8')).sources === digest
}

/** Compiles the library and its types. */
function buildLibrary(out) {
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json')
  const args = [join(dirname(tsc), 'bin/tsc'), '-p', join(ROOT, 'src/tsconfig.json'), '--noCheck', '--outDir', out]
  execFileSync(process.execPath, args, { stdio: 'inherit', cwd: ROOT })
}

/**
 * classic-level: its native half stays where npm installed it, and the rest, JavaScript in many small files, is bundled.
 *
 * It is CommonJS and imported when needed, of which esbuild makes a file with nothing but a default export where it splits
 * (evanw/esbuild#3245). So the name that is wanted is written out.
 */
const classicLevel = {
  name: 'classic-level',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      /[\\/]classic-level[\\/]/.test(importer) ? { path: 'classic-level/binding.js', external: true } : undefined,
    )
    onResolve({ filter: /^classic-level$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'named' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'named' }, () => ({
      contents: "export { ClassicLevel } from 'classic-level'",
      resolveDir: ROOT,
    }))
  },
}

/**
 * Packages that oclif loads at once and needs seldom or never: templates of help, globs, version ranges, spinners.
 * Each is bundled into a file of its own, and a stand-in loads that file when something of it is first used.
 */
const LAZY = ['cli-spinners', 'ejs', 'lilconfig', 'minimatch', 'semver', 'supports-color', 'tinyglobby', 'wrap-ansi']

/** Modules of Node that oclif loads at once and weft needs seldom: 6 ms of each start. The stand-in is the same. */
const LAZY_BUILTINS = ['child_process', 'perf_hooks', 'readline']

/**
 * Packages of oclif that weft has no use for, and what is there in their place: oclif's own debug log, and the question
 * whether this Linux runs inside Windows, which oclif asks at every start to word a line of its help.
 */
const REPLACED = {
  debug: 'module.exports = () => Object.assign(() => {}, { enabled: false, extend: () => module.exports() })',
  'wsl-utils': "export const isWsl = false; export const powerShellPath = async () => 'powershell.exe'",
}

/** Puts the stand-ins in. */
const lazyPackages = {
  name: 'lazy-packages',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(REPLACED).join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'replaced',
    }))
    onLoad({ filter: /.*/, namespace: 'replaced' }, ({ path }) => ({ contents: REPLACED[path], loader: 'js' }))
    onResolve({ filter: new RegExp(`^(${LAZY.join('|')})$`) }, ({ path, kind }) =>
      kind === 'require-call' ? { path, namespace: 'lazy' } : undefined,
    )
    onResolve({ filter: new RegExp(`^node:(${LAZY_BUILTINS.join('|')})$`) }, ({ path, importer }) =>
      /[\\/]@oclif[\\/]/.test(importer) ? { path, namespace: 'lazy' } : undefined,
    )
    onResolve({ filter: /^weft:lazy\// }, ({ path }) => ({ path: `${path.replace('weft:', './')}.js`, external: true }))
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({ contents: standIn(path), loader: 'js' }))
  },
}

/**
 * Source of a stand-in: a function that passes calls on, and whose properties are read from the package when asked for.
 * `__esModule` is answered without loading: what takes it for CommonJS then asks for `default` and gets the stand-in.
 */
function standIn(name) {
  return `
    const real = () => require('${name.startsWith('node:') ? name : `weft:lazy/${name}`}')
    module.exports = new Proxy(function () {}, {
      apply: (_, self, args) => Reflect.apply(real(), self, args),
      get: (_, key) => (key === '__esModule' ? undefined : real()[key]),
      has: (_, key) => key in real(),
    })`
}

/** What all bundles have in common. */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
}

/**
 * Source of the bundle: the program, and the commands by oclif's ids, each of which is evaluated when it is asked for.
 */
function entry(commands) {
  const getters = commands.map((path) => {
    const id = path
      .replace(/^commands\//, '')
      .replace(/\.ts$/, '')
      .replaceAll('/', ':')
    return `get '${id}'() { return require('./${path}').default },`
  })
  return `
    import { main } from './cli/main.ts'
    export { default as commandNotFound } from './cli/hooks/command-not-found.ts'
    export const commands = { ${getters.join('\n')} }
    export const run = (args) => main(args, commands)`
}

/**
 * Bundles the command line, all of it into one file.
 *
 * Split by commands it was forty files to find and read: 15 ms of each run, and as much again for the getters through
 * which one CommonJS file that esbuild made calls another. What a command does not need is in the file, but not evaluated.
 *
 * @returns What esbuild says went into the bundles.
 */
async function buildCommandLine(out) {
  const { build } = await import('esbuild')
  const sources = join(ROOT, 'src')
  const commands = filesBelow(join(sources, 'commands')).map((file) => relative(sources, file))
  const outdir = join(out, 'cli')
  const bundle = await build({
    ...COMMON,
    stdin: { contents: entry(commands), resolveDir: sources, loader: 'ts' },
    outfile: join(outdir, 'main.js'),
    format: 'cjs',
    plugins: [classicLevel, lazyPackages],
    banner: { js: "const weftModuleUrl=require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'weftModuleUrl' },
    supported: { 'dynamic-import': false },
    minifyIdentifiers: true,
    sourcemap: true,
    sourcesContent: false,
  })
  writeFileSync(join(outdir, 'package.json'), '{"type":"commonjs"}\n')
  const lazy = LAZY.map((name) =>
    build({
      ...COMMON,
      stdin: { contents: `module.exports = require('${name}')`, resolveDir: join(ROOT, 'node_modules/@oclif/core') },
      outfile: join(outdir, `lazy/${name}.js`),
      format: 'cjs',
    }),
  )
  return [bundle, ...(await Promise.all(lazy))].map(({ metafile }) => metafile)
}

/** Writes what oclif must know of each command without loading it. */
async function writeManifest(out) {
  const { Plugin } = await import('@oclif/core')
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const root = join(out, 'cli')
  const pjson = {
    name,
    version,
    oclif: { commands: { strategy: 'explicit', target: './main.js', identifier: 'commands' } },
  }
  const plugin = new Plugin({ isRoot: true, root, pjson, ignoreManifest: true, errorOnManifestCreate: true })
  await plugin.load()
  writeFileSync(join(root, 'oclif.manifest.json'), JSON.stringify(plugin.manifest))
}

/** Gathers the licence of every package that the bundle holds a part of. */
function writeLicences(out, metafiles) {
  const packages = new Set()
  for (const output of metafiles.flatMap((metafile) => Object.values(metafile.outputs))) {
    for (const input of Object.keys(output.inputs)) {
      const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
      if (found) packages.add(found[1])
    }
  }
  const texts = [...packages].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'))
    const file = readdirSync(join(ROOT, path)).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file ? readFileSync(join(ROOT, path, file), 'utf8').trim() : `Licence: ${license}`
    return `${name} ${version}\n${'-'.repeat(name.length + version.length + 1)}\n\n${text}\n`
  })
  writeFileSync(join(out, 'cli/THIRD-PARTY.txt'), texts.join('\n\n'))
}

/** The first words of all commands. */
function firstWords() {
  return readdirSync(join(ROOT, 'src/commands')).map((name) => name.replace(/\.ts$/, ''))
}

/** Builds into a folder beside `dist/`, then lets it take that place. */
async function build(digest) {
  const out = `${DIST}.${process.pid}`
  const old = `${out}.old`
  try {
    buildLibrary(out)
    writeLicences(out, await buildCommandLine(out))
    await writeManifest(out)
    writeFileSync(join(out, RECORD), `${JSON.stringify({ sources: digest, commands: firstWords() })}\n`)
    if (existsSync(DIST)) renameSync(DIST, old)
    renameSync(out, DIST)
  } finally {
    for (const leftover of [out, old]) rmSync(leftover, { recursive: true, force: true })
  }
}

const digest = sourceDigest()
if (!process.argv.includes('--if-stale') || !isFresh(digest)) {
  try {
    await build(digest)
  } catch (error) {
    // esbuild has said already what is wrong with the sources; anything else is worth a stack trace.
    if (!Array.isArray(error.errors)) throw error
    process.exitCode = 1
  }
}
