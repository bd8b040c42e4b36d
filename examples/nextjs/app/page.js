export const dynamic = "force-dynamic";

const VERSION = "v1";

export default function Page() {
  console.log(`GET / 200 ${VERSION}`);
  return <h1>{`Hello from Next.js ${VERSION}`}</h1>;
}
