import "./style.css";

document.querySelector("#app").append(", and JavaScript runs");
