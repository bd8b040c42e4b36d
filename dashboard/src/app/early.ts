import { DOORS } from "@/lib/doors";

/**
 * Runs in the page's head, before anything else is loaded: a dark page never flashes white, and the
 * page's data is on its way while its scripts still load (lib/http.ts takes the answers). The
 * policy of the page allows exactly this text, by its hash.
 */
export const early = `(()=>{
const kept=localStorage.getItem("theme");
document.documentElement.classList.toggle("dark",kept==="dark"||kept!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches);
const path=location.pathname.replace(/^\\/dashboard\\/?/,"");
if(${JSON.stringify(DOORS)}.includes(path))return;
const ask=["/auth/me"];
const found=/^projects\\/([0-9a-f-]{36})(?:\\/deployments\\/([0-9a-f-]{36}))?/.exec(path);
if(path==="")ask.push("/overview?limit=100");
else if(path==="deployments")ask.push("/deployments?limit=50");
else if(found)ask.push(found[2]?"/deployments/"+found[2]:"/projects/"+found[1]+"/overview");
window.early=new Map(ask.map(one=>[one,fetch(one)]));
})()`;
