import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatExport } from '../../cli/format-export.js'

/** `weft git export`: versions become git commits. */
export default class GitExport extends BaseCommand {
  static override summary = 'Write branches and tags into a git repository'
  static override description =
    `Makes a git repository, or brings one up to date. What was imported from git comes out with the same commit ids; versions made here become ordinary commits, and always the same ones. Branches in git only go forward: one that has moved on is left as it is, and \`git import\` brings its commits in.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> ../project',
    '<%= config.bin %> <%= command.id %> ../project.git --bare',
    '<%= config.bin %> <%= command.id %> .',
  ]
  static override args = { dir: required('Git repository, or a directory that is to become one') }
  static override flags = {
    bare: Flags.boolean({ summary: 'Make a repository without files, where there is none yet' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(GitExport)
    const { exportGit } = await import('../../git/export.js')
    const target = resolve(args.dir)
    await using repository = await this.openRepository()
    const report = await exportGit({ repository, target, bare: flags.bare, ...this.progress })
    await this.answer(report, (value, style) => formatExport(value, args.dir, style))
    if (report.refused.length > 0) this.exitRefused()
  }
}
