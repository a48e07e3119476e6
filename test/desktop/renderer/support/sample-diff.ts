/** A small unified diff as git writes it. */
export const diff = `diff --git a/hostd/routes/artifacts.ts b/hostd/routes/artifacts.ts
index 1111111..2222222 100644
--- a/hostd/routes/artifacts.ts
+++ b/hostd/routes/artifacts.ts
@@ -38,7 +38,9 @@ export async function readArtifact(root: string, rel: string)
   if (rel.split('/').some((p) => p.startsWith('.'))) throw new AppError(DOTFILE)
   const abs = path.resolve(root, rel)
-  if (path.relative(root, abs).startsWith('..')) throw new AppError(OUTSIDE)
+  if (!abs.startsWith(root)) throw new AppError(OUTSIDE)
+  const hit = cache.get(abs)
+  if (hit) return hit
   const info = await stat(abs)
   if (!info.isFile()) throw new AppError(NOT_A_FILE)
   if (info.size > MAX_ARTIFACT_BYTES) throw new AppError(TOO_LARGE)
   return createReadStream(abs, { highWaterMark: 64 * 1024 })
@@ -71,3 +73,5 @@ export function registerArtifacts(app, deps)
   app.get('/api/artifacts/*', { schema: readSchema }, async (req, reply) => {
     const rel = decodeOnce(req.params['*'])
+    reply.header('cache-control', 'private, max-age=5')
+    reply.header('x-content-type-options', 'nosniff')
     return reply.send(await readArtifact(deps.root, rel))
diff --git a/shared/errors.ts b/shared/errors.ts
index 3333333..4444444 100644
--- a/shared/errors.ts
+++ b/shared/errors.ts
@@ -10,2 +10,3 @@ export const errorTable = rule({
   not_found: { http: 404 },
+  too_large: { http: 413 },
   invalid_request: { http: 400 },
`
