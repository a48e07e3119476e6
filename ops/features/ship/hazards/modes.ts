/** File modes of git tree entries that matter to a review (git-fast-import(1), "filemodify"). */
export const modes = { link: '120000', submodule: '160000', executable: '100755' } as const
