import { useEffect, type ReactElement } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { isAt, type HqPage } from '../pages/page.ts'
import { NoSuchPage } from '../ui/no-such-page.tsx'

/** Shows the page that the address names, and puts its title on the window. */
export function PageRouter({ pages }: { pages: readonly HqPage[] }): ReactElement {
  useWindowTitle(pages)
  return (
    <Switch>
      {pages.map(({ path, takesId, Page }) => (
        <Route key={path} path={takesId ? below(path) : path}>
          {({ id }: { id?: string }) => <Page key={id ?? ''} id={id ?? null} />}
        </Route>
      ))}
      <Route>
        <NoSuchPage />
      </Route>
    </Switch>
  )
}

const below = (path: string): string => `${path}/:id?`

function useWindowTitle(pages: readonly HqPage[]): void {
  const [location] = useLocation()
  const title = pages.find((page) => isAt(page, location))?.title ?? null
  useEffect(() => {
    document.title = title === null ? 'OpenClaw HQ' : `${title} · OpenClaw HQ`
  }, [title])
}
