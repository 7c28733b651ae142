import * as Flags from '@oclif/core/flags'
import { optional, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatRef, formatTags } from '../cli/format-refs.js'
import { namePattern } from '../cli/name-pattern.js'

/** `weft tag`: names of versions. */
export default class Tag extends BaseCommand {
  static override summary = 'List, make and delete tags'
  static override description =
    `A tag names one version for good, and is signed, as all that is written here.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    "<%= config.bin %> <%= command.id %> 'v1.*'",
    '<%= config.bin %> <%= command.id %> v1.3 -m "The third release"',
    '<%= config.bin %> <%= command.id %> v1.2 3f2a9c01',
    '<%= config.bin %> <%= command.id %> --delete v1.3',
  ]
  static override args = {
    name: optional('Name of the tag, or a pattern (v1.*) of those to list'),
    version: optional('The version; by default the one on which the work tree stands'),
  }
  static override flags = {
    message: Flags.string({ char: 'm', helpValue: '<text>', summary: 'What the tag says' }),
    delete: Flags.boolean({ char: 'd', summary: 'Delete the tag' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tag)
    const { name, version: at } = args
    await using repo = await this.openRepository()
    const pattern = namePattern(name)
    if (name === undefined || (pattern !== undefined && !flags.delete)) {
      const tags = (await repo.tags()).filter((tag) => pattern === undefined || pattern.test(tag.name))
      await this.page()
      await this.answer(tags, (list, style) => formatTags(list, { pattern: name }, style))
      return
    }
    const work = await this.openWorktree(repo)
    const { createTag, deleteTag } = await import('../worktree/branches.js')
    if (flags.delete) {
      await this.answer(await deleteTag(work, name), formatRef)
      return
    }
    const { message } = flags
    const author = message === undefined ? undefined : await this.author(repo.root)
    await this.answer(await createTag(work, name, { at, message, author }), formatRef)
  }
}
